"""Both of two replicas restarted in turn by SIGTERM: what a roll takes away."""

import asyncio
import time
from dataclasses import dataclass
from statistics import median

from bench.accounts import lost_or_doubled
from bench.groups import PARTITIONS, Group, plain_group, service_group
from bench.measurement import Goal, Measurement
from bench.outcomes import gap, rate

STEADY_S = 10.0


@dataclass(frozen=True, slots=True)
class Roll:
    """Times without an outcome by partition, in seconds, and outcomes per second of a roll."""

    gaps: list[float]
    rate: float
    seconds: float


async def measure(bootstrap: str, *, quick: bool) -> list[Measurement]:
    """Roll the service and the plain group in turn, each under its load all the time."""
    rolls = 2 if quick else 20
    ours: list[Roll] = []
    plain: list[Roll] = []
    async with service_group(bootstrap) as serving, plain_group(bootstrap) as looping:
        steady = await _steady(serving)
        sides = [(serving, ours), (looping, plain)]
        for number in range(rolls):
            for group, rolled in sides if number % 2 == 0 else reversed(sides):
                rolled.append(await _roll(group))
    return [
        _silence(ours, plain),
        _throughput(ours, plain, steady),
        lost_or_doubled("rolling", serving.account, looping.account, f"{rolls} rolling restarts"),
    ]


async def _steady(group: Group) -> float:
    """Return outcomes per second while nothing happens."""
    start = time.monotonic()
    await asyncio.sleep(STEADY_S)
    return rate(group.watching.outcomes, start, time.monotonic())


async def _roll(group: Group) -> Roll:
    start = time.monotonic()
    for replica in group.replicas:
        await replica.stop()
        await replica.start()
        await group.all_heard()
    end = time.monotonic()
    seen = group.watching.outcomes
    gaps = [gap(seen, partition, start, end) for partition in range(PARTITIONS)]
    return Roll(gaps, rate(seen, start, end), end - start)


def _silence(ours: list[Roll], plain: list[Roll]) -> Measurement:
    typical = median(g for p in plain for g in p.gaps)
    detail = {
        "service, s without an outcome (median, worst)": _middle_and_worst(ours),
        "plain loop, the same": _middle_and_worst(plain),
        "service, s a roll takes (median)": round(median(o.seconds for o in ours), 1),
        "plain loop, s a roll takes (median)": round(median(p.seconds for p in plain), 1),
    }
    what = (
        "longest time without an outcome of a partition while two replicas are restarted in turn "
        "(median of the partitions), ÷ the same of a plain transactional aiokafka group"
    )
    ratios = [median(o.gaps) / typical for o in ours]
    goal = Goal("at most", 1.1)
    return Measurement("rolling", "silence", what, goal, ratios, len(ours), detail)


def _middle_and_worst(rolls: list[Roll]) -> tuple[float, float]:
    gaps = [gap for roll in rolls for gap in roll.gaps]
    return round(median(gaps), 2), round(max(gaps), 2)


def _throughput(ours: list[Roll], plain: list[Roll], steady: float) -> Measurement:
    detail = {
        "service, outcomes/s while steady": round(steady, 1),
        "plain loop, the same ratio (median)": round(median(p.rate / steady for p in plain), 3),
    }
    what = (
        "outcomes/s of the service during a rolling restart, from the first SIGTERM until every "
        "partition is heard of again, ÷ while nothing happens; one replica could carry the load"
    )
    ratios = [o.rate / steady for o in ours]
    goal = Goal("at least", 0.95)
    return Measurement("rolling", "throughput", what, goal, ratios, len(ours), detail)
