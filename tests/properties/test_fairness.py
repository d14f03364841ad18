"""Fairness: how long a request of an idle key can wait for the others, whatever they are.

The bound that `docs/DELIVERY.md` states: with `slots` slots and calls of at most `L` seconds, a
request whose key has nothing else waiting starts after at most `⌈t / slots⌉ + 1` calls, where
`t` = (keys ready before it in its own partition + 1) times (partitions with work). How many
requests the *other* keys have waiting does not enter.
"""

import asyncio
from math import ceil

from hypothesis import given, settings
from hypothesis import strategies as st

from jiraiya_events.engine.records import Partition
from jiraiya_events.engine.verdicts import Verdict, Work
from jiraiya_events.testing.virtual_time import run_virtual
from tests.unit.engine.rig import HERE, Rig, at_once

LONGEST_S = 1.0
LINGER_S = 0.1
"""Commits of the rig take virtual milliseconds; reading and starting take none."""


async def _wait_of_the_quiet_key(slots: int, others: list[list[int]]) -> float:
    """Return how long `quiet` in the first partition waits; `others[p][k]` = records of a key."""
    started: dict[bytes | None, float] = {}
    loop = asyncio.get_running_loop()
    begun = asyncio.Event()

    async def note(work: Work) -> Verdict:
        started.setdefault(work.record.key, loop.time())
        if work.record.key == b"quiet":
            begun.set()
        await asyncio.sleep(LONGEST_S)
        return await at_once(work)

    rig = Rig(note, in_flight=slots)
    partitions = [Partition(HERE.topic, number) for number in range(len(others))]
    for partition, keys in zip(partitions, others, strict=True):
        for number, count in enumerate(keys):
            rig.add(*[b"%d-%d" % (partition.partition, number)] * count, partition=partition)
    await rig.start(*partitions)
    added = loop.time()
    rig.add(b"quiet")
    await begun.wait()
    await rig.stop(0)
    return started[b"quiet"] - added


@settings(max_examples=60, deadline=None)
@given(
    slots=st.integers(1, 6),
    others=st.lists(st.lists(st.integers(1, 240), max_size=6), min_size=1, max_size=4),
)
def test_an_idle_key_waits_no_longer_than_the_stated_bound(
    slots: int, others: list[list[int]]
) -> None:
    """Thousands of requests of other keys weigh no more than a few."""
    turns = (len(others[0]) + 1) * max(1, len([keys for keys in others if keys]))
    bound = (ceil(turns / slots) + 1) * LONGEST_S + LINGER_S
    waited: list[float] = []

    async def measured() -> None:
        waited.append(await _wait_of_the_quiet_key(slots, others))

    run_virtual(measured())
    assert waited[0] <= bound
