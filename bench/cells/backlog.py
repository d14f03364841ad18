"""Whether memory and time per record depend on how much waits."""

import asyncio
import time
from dataclasses import dataclass
from statistics import median

from bench.broker import Judge, Topics, judge
from bench.draining import Drained, drain, peak_mib
from bench.measurement import Goal, Measurement
from bench.running import endpoint, service

SMALL, LARGE = 1_000, 100_000
STORIES, SETTLED, STEP = 2_000, 400, 50
"""Stories measured, stories left out while connections open, and how many are replaced at once."""
MEMORY, TIME = Goal("at most", 1.2), Goal("at most", 1.1)


@dataclass(frozen=True, slots=True)
class Stories:
    """What stories took while a backlog waited."""

    seconds_each: float
    cpu_s_each: float
    peak_mib: float


async def measure(bootstrap: str, *, quick: bool) -> list[Measurement]:
    """Compare both backlogs, by the whole service and by the engine alone."""
    stories = await _whole_service(bootstrap, rounds=1 if quick else 2)
    return [*stories, *await _engine_alone(bootstrap, rounds=1 if quick else 2)]


async def _whole_service(bootstrap: str, rounds: int) -> list[Measurement]:
    """Compare the same number of stories while 1,000 and while 100,000 records wait."""
    small: list[Stories] = []
    large: list[Stories] = []
    for _ in range(rounds):
        small.append(await _stories(bootstrap, SMALL))
        large.append(await _stories(bootstrap, LARGE))
    pairs = list(zip(small, large, strict=True))
    which = f"the whole service, instant endpoint, {STORIES} stories"
    n = rounds * STORIES
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
            {
                "CPU ms per story (1,000; 100,000)": [
                    (round(a.cpu_s_each * 1e3, 2), round(b.cpu_s_each * 1e3, 2)) for a, b in pairs
                ]
            },
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


async def _stories(bootstrap: str, waiting: int) -> Stories:
    """Measure `STORIES` while `waiting` records wait all the time: each outcome is replaced."""
    topics = await Topics.create(bootstrap)
    await topics.request(waiting)
    with judge(topics) as watching:
        async with endpoint({"seconds": 0.0}) as base_url, service(topics, base_url) as running:
            peak = asyncio.create_task(peak_mib(running))
            await _replaced(topics, watching, SETTLED, waiting)
            cpu_s, at = running.cpu_s(), time.perf_counter()
            await _replaced(topics, watching, STORIES, waiting + SETTLED)
            cpu_s, seconds = running.cpu_s() - cpu_s, time.perf_counter() - at
            peak.cancel()
            return Stories(seconds / STORIES, cpu_s / STORIES, await peak)


async def _replaced(topics: Topics, watching: Judge, count: int, first: int) -> None:
    for number in range(first, first + count, STEP):
        await watching.wait_for(STEP)
        await topics.request(STEP, number)


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
