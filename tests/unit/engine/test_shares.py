"""What all partitions hold together is bounded, and each has its part of it."""

import asyncio

import pytest

from jiraiya_events.engine.limits import Limits
from jiraiya_events.engine.records import Partition
from jiraiya_events.engine.throttle import Shares
from jiraiya_events.engine.verdicts import Done, Verdict, Work
from tests.unit.engine.rig import HERE, Rig, virtual

OTHER = Partition("in", 1)


async def for_ever(work: Work) -> Verdict:
    """Never end."""
    await asyncio.Event().wait()
    return Done([])


@pytest.mark.parametrize("limit", [{"accepted_in_all": 8}, {"accepted_bytes_in_all": 88}])
@virtual
async def test_partitions_share_the_process_limit_equally(limit: dict[str, float]) -> None:
    """One that is full of waiting records leaves the other its half."""
    rig = Rig(for_ever, **limit)
    rig.add(*(b"%d" % n for n in range(20)))
    await rig.start(HERE, OTHER)
    assert len(rig.started) == 4
    rig.add(*(b"%d" % n for n in range(20)), partition=OTHER)
    await asyncio.sleep(1)
    assert len(rig.started) == 8
    await rig.stop(0)


@virtual
async def test_a_partition_that_stays_takes_over_the_part_of_one_that_left() -> None:
    """Shares follow the assignment."""
    rig = Rig(for_ever, accepted_in_all=8)
    rig.add(*(b"%d" % n for n in range(20)))
    await rig.start(HERE, OTHER)
    assert len(rig.started) == 4
    rig.assign(HERE)
    await asyncio.sleep(1)
    assert len(rig.started) == 8
    await rig.stop(0)


def test_a_partition_never_has_more_than_its_own_limit_and_never_nothing() -> None:
    """However few or many there are."""
    shares = Shares(Limits(accepted=10, accepted_in_all=30, accepted_bytes_in_all=5))
    assert (shares.accepted, shares.bytes) == (10, 5)
    shares.divide(4)
    assert shares.accepted == 7
    shares.divide(1_000)
    assert (shares.accepted, shares.bytes) == (1, 1)
    shares.divide(0)
    assert shares.accepted == 10
