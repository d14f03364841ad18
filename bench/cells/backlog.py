"""Whether memory and time per record depend on how much waits."""

import asyncio
from dataclasses import dataclass
from statistics import median

from bench.broker import Topics, judge
from bench.draining import Drained, drain, peak_mib
from bench.measurement import Goal, Measurement
from bench.running import endpoint, service

SMALL, LARGE = 1_000, 100_000
SETTLED = 200
"""Outcomes left out at the start of the service, while its connections open."""
MEMORY, TIME = Goal("at most", 1.2), Goal("at most", 1.1)


@dataclass(frozen=True, slots=True)
class Stories:
    """The first 1,000 stories of a backlog."""

    seconds_each: float
    cpu_s_each: float
    peak_mib: float


async def measure(bootstrap: str, *, quick: bool) -> list[Measurement]:
    """Compare both backlogs, by the whole service and by the engine alone."""
    stories = await _whole_service(bootstrap, rounds=1 if quick else 3)
    return [*stories, *await _engine_alone(bootstrap, rounds=1 if quick else 2)]


async def _whole_service(bootstrap: str, rounds: int) -> list[Measurement]:
    """Compare the same 1,000 stories with nothing and with 99,000 more behind them."""
    small: list[Stories] = []
    large: list[Stories] = []
    for _ in range(rounds):
        small.append(await _first_stories(bootstrap, SMALL))
        large.append(await _first_stories(bootstrap, LARGE))
    pairs = list(zip(small, large, strict=True))
    which = f"the whole service, instant endpoint, its first {SMALL} stories"
    n = rounds * SMALL
    return [
        Measurement(
            "backlog",
            "service-memory",
            f"peak RSS with {LARGE} ÷ with {SMALL} records waiting; {which}",
            MEMORY,
            [b.peak_mib / a.peak_mib for a, b in pairs],
            n,
            {"MiB (1,000; 100,000)": [(round(a.peak_mib), round(b.peak_mib)) for a, b in pairs]},
        ),
        Measurement(
            "backlog",
            "service-cpu",
            f"CPU per story with {LARGE} ÷ with {SMALL} records waiting; {which}",
            TIME,
            [b.cpu_s_each / a.cpu_s_each for a, b in pairs],
            n,
        ),
        Measurement(
            "backlog",
            "service-time",
            f"time per story with {LARGE} ÷ with {SMALL} records waiting; {which}",
            TIME,
            [b.seconds_each / a.seconds_each for a, b in pairs],
            n,
            {
                "ms per story (1,000; 100,000)": [
                    (round(a.seconds_each * 1e3, 2), round(b.seconds_each * 1e3, 2))
                    for a, b in pairs
                ]
            },
        ),
    ]


async def _first_stories(bootstrap: str, waiting: int) -> Stories:
    topics = await Topics.create(bootstrap)
    await topics.request(waiting)
    with judge(topics) as watching:
        async with endpoint({"seconds": 0.0}) as base_url, service(topics, base_url) as running:
            peak = asyncio.create_task(peak_mib(running))
            seen = await watching.wait_for(SETTLED)
            settled, before = len(seen), running.cpu_s()
            seen += await watching.wait_for(SMALL - settled)
            cpu_s = running.cpu_s() - before
            peak.cancel()
            count = len(seen) - settled
            seconds = seen[-1] - seen[settled - 1]
            return Stories(seconds / count, cpu_s / count, await peak)


async def _engine_alone(bootstrap: str, rounds: int) -> list[Measurement]:
    """Drain both backlogs to the end through the engine with a no-op handler."""
    little, much = await Topics.create(bootstrap), await Topics.create(bootstrap)
    await little.request(SMALL)
    await much.request(LARGE)
    small: list[Drained] = []
    large: list[Drained] = []
    for _ in range(rounds):
        small.append(await drain(little, "engine", SMALL))
        large.append(await drain(much, "engine", LARGE))
    pairs = list(zip(small, large, strict=True))
    memory, n = [(round(a.peak_mib), round(b.peak_mib)) for a, b in pairs], rounds * LARGE
    return [
        Measurement(
            "backlog",
            "engine-memory",
            f"peak RSS draining {LARGE} ÷ {SMALL} records; the engine alone, no-op handler",
            MEMORY,
            [b.peak_mib / a.peak_mib for a, b in pairs],
            n,
            {"MiB (1,000; 100,000)": memory},
        ),
        Measurement(
            "backlog",
            "engine-time",
            f"time per record draining {LARGE} ÷ {SMALL} records; the engine alone, no-op handler",
            TIME,
            [(b.seconds / b.count) / (a.seconds / a.count) for a, b in pairs],
            n,
            {"records/s of the large one": round(median(b.count / b.seconds for b in large))},
        ),
        Measurement(
            "backlog",
            "engine-first-last",
            "time per record of the first 20 % ÷ of the last 20 % of one drain of 100,000",
            None,
            [_share(b, 0.0, 0.2) / _share(b, 0.8, 1.0) for b in large],
            n,
        ),
    ]


def _share(drained: Drained, start: float, end: float) -> float:
    """Return seconds per record between two shares of a drain."""
    points = [(0.0, 0), *drained.commits]
    first = next(p for p in points if p[1] >= start * drained.count)
    last = next(p for p in points if p[1] >= end * drained.count)
    return (last[0] - first[0]) / (last[1] - first[1])
