"""Waking one record: its lane's wait is over, whatever it waited for; order and others stay."""

import asyncio

import pytest

from jiraiya_events.engine.records import Record
from jiraiya_events.engine.verdicts import Done, Park, Retry, Verdict, Work
from tests.unit.engine.rig import Rig, at_once, echo, virtual


def record(offset: int, key: bytes | None = b"a") -> Record:
    """Return a record as somebody outside the engine names it."""
    return Record("in", 0, offset, 0, key, b"")


class Waits:
    """The first turn of every record ends with `verdict`, the second with its output."""

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict
        self.turns: list[tuple[int, float]] = []

    async def __call__(self, work: Work) -> Verdict:
        """Wait once."""
        offset = work.record.offset
        first = offset not in {turn for turn, _ in self.turns}
        self.turns.append((offset, asyncio.get_running_loop().time()))
        return self.verdict if first else Done([echo(work.record)])


@pytest.mark.parametrize("verdict", [Retry(50), Park(50)])
@pytest.mark.parametrize("key", [b"a", None])
@virtual
async def test_a_waiting_record_has_its_turn_at_once_and_only_once(
    verdict: Verdict, key: bytes | None
) -> None:
    """Its timer or parking place is given up: nothing wakes it a second time."""
    waits = Waits(verdict)
    rig = Rig(waits)
    rig.add(key)
    await rig.start()
    rig.engine.wake(record(0, key))
    rig.engine.wake(record(0, key))
    assert rig.engine.statistics().parked == 0
    await asyncio.sleep(100)
    assert [offset for offset, _ in waits.turns] == [0, 0]
    assert waits.turns[1][1] < 1
    await rig.stop()
    assert rig.published == [b"0"]


@virtual
async def test_waking_leaves_every_other_record_where_it_is() -> None:
    """Other lanes go on waiting; one that is not the head of its lane is not moved."""
    waits = Waits(Retry(50))
    rig = Rig(waits)
    rig.add(b"a", b"a", b"b")
    await rig.start()
    rig.engine.wake(record(1))
    await asyncio.sleep(1)
    assert [offset for offset, _ in waits.turns] == [0, 2]
    rig.engine.wake(record(0))
    await asyncio.sleep(1)
    assert [offset for offset, _ in waits.turns] == [0, 2, 0, 1]
    await rig.stop()


@virtual
async def test_a_wake_during_a_turn_that_then_waits_is_not_lost() -> None:
    """The turn had looked already at what the wake is about; the next comes at once."""
    turns: list[float] = []

    async def slow_to_wait(work: Work) -> Verdict:
        turns.append(asyncio.get_running_loop().time())
        if len(turns) == 1:
            await asyncio.sleep(5)
            return Park(50)
        return Retry(50) if len(turns) == 2 else await at_once(work)

    rig = Rig(slow_to_wait)
    rig.add(b"a")
    await rig.start()
    rig.engine.wake(record(0))
    await asyncio.sleep(70)
    await rig.stop()
    assert [round(turn) for turn in turns] == [0, 5, 55]


@virtual
async def test_a_wake_during_a_turn_that_ends_wakes_nobody_behind_it() -> None:
    """The next record of the key waits as long as it says."""
    waits = Waits(Retry(50))

    async def first_is_slow(work: Work) -> Verdict:
        if work.record.offset == 0:
            await asyncio.sleep(5)
            return await at_once(work)
        return await waits(work)

    rig = Rig(first_is_slow)
    rig.add(b"a", b"a")
    await rig.start()
    rig.engine.wake(record(0))
    await asyncio.sleep(100)
    await rig.stop()
    assert [round(at) for _, at in waits.turns] == [5, 55]


@virtual
async def test_waking_what_is_not_here_is_harmless() -> None:
    """Finished, never read, of a foreign partition, or with no session at all."""
    rig = Rig(at_once)
    rig.engine.wake(record(0))
    rig.add(b"a")
    await rig.start()
    for absent in (record(0), record(7), Record("in", 9, 0, 0, b"a", b"")):
        rig.engine.wake(absent)
    await asyncio.sleep(1)
    assert rig.started == [0]
    await rig.stop()


@virtual
async def test_a_record_woken_while_its_partition_is_away_has_its_turn_when_it_is_back() -> None:
    """Nothing starts meanwhile; the wait is over all the same."""
    waits = Waits(Retry(50))
    rig = Rig(waits)
    rig.add(b"a")
    await rig.start()
    rig.engine.revoke(rig.intake.assigned)
    rig.engine.wake(record(0))
    await asyncio.sleep(5)
    assert len(waits.turns) == 1
    rig.assign(*rig.intake.assigned)
    await asyncio.sleep(1)
    assert len(waits.turns) == 2
    await rig.stop()
