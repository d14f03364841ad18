"""`kill -9` of one of two replicas: how long its partitions are silent, and what it costs."""

import asyncio
import random
import time
from dataclasses import dataclass
from statistics import median

from bench.accounts import lost_or_doubled
from bench.groups import PARTITIONS, Group, Replica, plain_group, service_group
from bench.measurement import Goal, Measurement
from bench.outcomes import silent
from jiraiya_events.adapters.kafka.edge import HEARTBEAT_MS, SESSION_TIMEOUT_MS

SEED = 9
LAST_WORDS_S = 1.0
"""What the dead one had committed has become visible by then."""
HEARTBEAT_S = HEARTBEAT_MS / 1000
SILENT_UNTIL_S = (SESSION_TIMEOUT_MS - HEARTBEAT_MS) / 1000 - 2
"""No group gives its partitions away sooner: the session begins with the last heartbeat."""


@dataclass(frozen=True, slots=True)
class Takeover:
    """Seconds from the kill to the first outcome of the next owner, by partition."""

    first: float
    last: float
    partitions: int


async def measure(bootstrap: str, *, quick: bool) -> list[Measurement]:
    """Kill one of each group at the same instant, again and again."""
    kills = 2 if quick else 20
    dice = random.Random(SEED)  # noqa: S311 - for repeating, not for secrets
    ours: list[Takeover] = []
    plain: list[Takeover] = []
    async with service_group(bootstrap) as serving, plain_group(bootstrap) as looping:
        for number in range(kills):
            # Anywhere between two heartbeats, which decide when the death is noticed.
            await asyncio.sleep(dice.uniform(0, HEARTBEAT_S))
            of_ours, of_plain = await asyncio.gather(
                _kill(serving, serving.replicas[number % 2]),
                _kill(looping, looping.replicas[number % 2]),
            )
            ours.append(of_ours)
            plain.append(of_plain)
            await asyncio.gather(
                _replace(serving, serving.replicas[number % 2]),
                _replace(looping, looping.replicas[number % 2]),
            )
    return [
        _silence(ours, plain),
        lost_or_doubled("takeover", serving.account, looping.account, f"{kills} `kill -9`"),
    ]


async def _kill(group: Group, victim: Replica) -> Takeover:
    killed = time.monotonic()
    await victim.kill()
    await asyncio.sleep(SILENT_UNTIL_S)
    heard_of, until = killed + LAST_WORDS_S, killed + SILENT_UNTIL_S
    orphans = silent(group.watching.outcomes, PARTITIONS, heard_of, until)
    assert orphans, "the one that was killed owned nothing"
    firsts = await group.heard(orphans, heard_of)
    waits = [at - killed for at in firsts.values()]
    return Takeover(min(waits), max(waits), len(orphans))


async def _replace(group: Group, victim: Replica) -> None:
    await victim.start()
    await group.all_heard()


def _silence(ours: list[Takeover], plain: list[Takeover]) -> Measurement:
    typical = median(p.last for p in plain)
    detail = {
        "service, s to the first and to the last of its partitions (median)": _medians(ours),
        "plain loop, the same": _medians(plain),
        "service, kills (s to the last, partitions)": _kills(ours),
        "plain loop, kills (s to the last, partitions)": _kills(plain),
    }
    what = (
        "from `kill -9` of one of two replicas to the first outcome of the last of its partitions, "
        "÷ the median of a plain transactional aiokafka group killed at the same instants"
    )
    ratios = [o.last / typical for o in ours]
    goal = Goal("at most", 1.1)
    return Measurement("takeover", "kill", what, goal, ratios, len(ours), detail)


def _medians(takeovers: list[Takeover]) -> tuple[float, float]:
    first, last = median(t.first for t in takeovers), median(t.last for t in takeovers)
    return round(first, 2), round(last, 2)


def _kills(takeovers: list[Takeover]) -> list[tuple[float, int]]:
    return [(round(t.last, 2), t.partitions) for t in takeovers]
