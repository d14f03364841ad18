"""Whether memory and time per record depend on how much waits."""

import asyncio
import time
from dataclasses import dataclass

from bench.broker import Topics
from bench.draining import Drained, drain, peak_mib
from bench.judging import Judge, judge
from bench.measurement import Goal, Measurement
from bench.running import endpoint, service

FULL, QUICK = (1_000, 100_000, 1_000_000), (1_000, 20_000, 100_000)
"""Records waiting: the whole service meets the first and the last, the engine alone all three."""
ENGINE = "the engine alone, no-op handler"
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
    sizes, rounds = (QUICK, 1) if quick else (FULL, 2)
    stories = await _whole_service(bootstrap, sizes[0], sizes[-1], rounds)
    return [*stories, *await _engine_alone(bootstrap, sizes, rounds)]


async def _whole_service(bootstrap: str, few: int, many: int, rounds: int) -> list[Measurement]:
    """Compare the same number of stories while few and while many records wait."""
    small: list[Stories] = []
    large: list[Stories] = []
    for _ in range(rounds):
        small.append(await _stories(bootstrap, few))
        large.append(await _stories(bootstrap, many))
    pairs = list(zip(small, large, strict=True))
    which = f"the whole service, instant endpoint, {STORIES} stories"
    n = rounds * STORIES
    return [
        Measurement(
            "backlog",
            "service-memory",
            f"peak RSS with {many} ÷ with {few} records waiting; {which}",
            MEMORY,
            [b.peak_mib / a.peak_mib for a, b in pairs],
            n,
            {"MiB (few, many)": [(round(a.peak_mib), round(b.peak_mib)) for a, b in pairs]},
        ),
        Measurement(
            "backlog",
            "service-cpu",
            f"CPU per story with {many} ÷ with {few} records waiting; {which}",
            TIME,
            [b.cpu_s_each / a.cpu_s_each for a, b in pairs],
            n,
            {
                "CPU ms per story (few, many)": [
                    (round(a.cpu_s_each * 1e3, 2), round(b.cpu_s_each * 1e3, 2)) for a, b in pairs
                ]
            },
        ),
        Measurement(
            "backlog",
            "service-time",
            f"time per story with {many} ÷ with {few} records waiting; {which}",
            TIME,
            [b.seconds_each / a.seconds_each for a, b in pairs],
            n,
            {
                "ms per story (few, many)": [
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


async def _engine_alone(
    bootstrap: str, sizes: tuple[int, int, int], rounds: int
) -> list[Measurement]:
    """Drain three backlogs to the end through the engine with a no-op handler."""
    topics = [await Topics.create(bootstrap) for _ in sizes]
    for size, topic in zip(sizes, topics, strict=True):
        await topic.request(size)
    # Not counted: the broker's JVM compiles what it runs often.
    await drain(topics[1], "engine", sizes[1])
    drains = [
        [await drain(topic, "engine", size) for size, topic in zip(sizes, topics, strict=True)]
        for _ in range(rounds)
    ]
    return [_memory(drains), _time(drains), *_flat([large for _, _, large in drains])]


def _memory(drains: list[list[Drained]]) -> Measurement:
    small, _, large = (drained.count for drained in drains[0])
    return Measurement(
        "backlog",
        "engine-memory",
        f"peak RSS draining {large} ÷ {small} records; {ENGINE}",
        MEMORY,
        [large.peak_mib / small.peak_mib for small, _, large in drains],
        len(drains) * large,
        {
            "records": [drained.count for drained in drains[0]],
            "MiB": [[round(drained.peak_mib, 1) for drained in round_] for round_ in drains],
        },
    )


def _time(drains: list[list[Drained]]) -> Measurement:
    small, _, large = (drained.count for drained in drains[0])
    return Measurement(
        "backlog",
        "engine-time",
        f"time per record draining {large} ÷ {small} records; {ENGINE}",
        TIME,
        [(b.seconds / b.count) / (a.seconds / a.count) for a, _, b in drains],
        len(drains) * large,
        {
            "records": [drained.count for drained in drains[0]],
            "records/s": [[round(d.count / d.seconds) for d in round_] for round_ in drains],
        },
    )


def _flat(large: list[Drained]) -> list[Measurement]:
    """Compare the end of a long drain with its beginning, the first fifth left out."""
    count = large[0].count
    early = [drained.share(0.2, 0.4) for drained in large]
    late = [drained.share(0.8, 1.0) for drained in large]
    pairs = list(zip(early, late, strict=True))
    what = f"per record of the last fifth ÷ of the second fifth of a drain of {count}; {ENGINE}"
    time = [(b.seconds / b.records) / (a.seconds / a.records) for a, b in pairs]
    cpu = [(b.cpu_s / b.records) / (a.cpu_s / a.records) for a, b in pairs]
    n = len(large) * count
    return [
        Measurement("backlog", "engine-flat-time", f"time {what}", TIME, time, n),
        Measurement("backlog", "engine-flat-cpu", f"CPU {what}", TIME, cpu, n),
    ]
