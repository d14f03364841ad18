"""What a session makes of another epoch: its own after trouble, or another owner's in between."""

import asyncio

from jiraiya_events.adapters.memory.writer import MemoryWriter
from jiraiya_events.engine import offset_map
from jiraiya_events.engine.errors import Fenced, WriterFailed
from jiraiya_events.engine.offset_map import Progress
from jiraiya_events.engine.records import Committed, Partition, Record
from jiraiya_events.engine.session_state import SessionState
from jiraiya_events.engine.verdicts import Done, Retry, Verdict, Work
from tests.unit.engine.rig import HERE, Rig, TroubledWriter, at_once, echo, virtual


def finished_elsewhere(rig: Rig, progress: Progress) -> None:
    """Let the log say what another owner has committed meanwhile."""
    rig.log.committed[HERE] = offset_map.encode(progress)[0]


@virtual
async def test_a_lane_whose_head_another_owner_finished_is_started() -> None:
    """Its session runs, so nothing but the reopening itself would offer it."""

    async def wait_first(work: Work) -> Verdict:
        return Retry(30) if work.record.offset == 0 else Done([echo(work.record)])

    rig = Rig(wait_first)
    rig.add(b"a", b"a")
    await rig.start()
    rig.commit_troubles = [(Fenced("newer"), None)]
    finished_elsewhere(rig, Progress(3, {1: 0}))
    rig.add(b"b")
    await asyncio.sleep(5)
    assert rig.started == [0, 2, 1]
    await rig.stop()
    assert rig.published == [b"1"]


@virtual
async def test_what_waited_for_a_commit_nobody_heard_of_is_started() -> None:
    """Too much was uncommitted to start it; what the log turns out to have is not."""
    turns: list[int] = []
    together = asyncio.Event()

    async def later(work: Work) -> Verdict:
        turns.append(work.record.offset)
        if work.record.offset < 4:
            await together.wait()
        elif turns.count(4) == 1:
            return Retry(2.5)
        return await at_once(work)

    class Slow(TroubledWriter):
        async def open(self) -> Committed:
            await asyncio.sleep(1)
            return await super().open()

    rig = Rig(later, uncommitted=4)

    def slow_writer(partition: Partition) -> Slow:
        return Slow(rig, partition)

    rig.engine._writers = slow_writer
    await rig.start()
    await asyncio.sleep(2)
    rig.add(b"a", b"b", b"c", b"d", b"e")
    await asyncio.sleep(2)
    rig.commit_troubles = [(None, WriterFailed("unheard"))]
    together.set()
    await asyncio.sleep(60)
    assert turns == [0, 1, 2, 3, 4, 4]
    assert len(rig.published) == 5
    await rig.stop()


@virtual
async def test_opening_that_fails_is_not_tried_again_while_the_partition_is_revoked() -> None:
    """It would succeed in the end, and fence whoever has the partition by then."""
    rig = Rig()
    rig.add(b"a")
    rig.open_troubles = [WriterFailed("away")] * 6
    await rig.start()
    rig.engine.revoke([HERE])
    other = MemoryWriter(rig.log, HERE)
    await other.open()
    await asyncio.sleep(20)
    await other.commit([], Committed(1))
    rig.open_troubles.clear()
    rig.assign(HERE)
    rig.add(b"b")
    await asyncio.sleep(5)
    assert rig.published == [b"1"]
    await rig.stop()


@virtual
async def test_tries_of_an_owner_in_between_count_for_a_partition_that_comes_back() -> None:
    """Else a record would have more of them the more often its partition moves."""
    seen: dict[int, list[int]] = {0: [], 2: []}

    async def again(work: Work) -> Verdict:
        if work.record.offset == 1:
            await asyncio.sleep(20)
            return await at_once(work)
        seen[work.record.offset].append(work.tries)
        if work.tries == 3:
            return await at_once(work)
        work.tries += 1
        return Retry(8)

    rig = Rig(again)
    rig.add(b"a", b"b", b"c")
    await rig.start()
    rig.assign()
    await asyncio.sleep(1)
    finished_elsewhere(rig, Progress(3, {0: 2, 1: 0, 2: 0}))
    rig.assign(HERE)
    await asyncio.sleep(1)
    assert rig.session.tracker is not None
    assert [rig.session.tracker.tries(offset) for offset in (0, 2)] == [2, 1]
    await asyncio.sleep(60)
    assert seen == {0: [0, 2, 3], 2: [0, 1, 2, 3]}
    await rig.stop()


@virtual
async def test_a_halted_partition_that_comes_back_begins_anew() -> None:
    """Its old session has a lane that nobody would ever release."""

    async def stumble_once(work: Work) -> Verdict:
        if work.record.offset == 0:
            await asyncio.sleep(20)
        if work.record.offset == 1 and not rig.crashes:
            raise ZeroDivisionError
        return await at_once(work)

    def stumble_too(record: Record, error: Exception) -> Done:
        raise ValueError(record) from error

    rig = Rig(stumble_once)
    rig.on_crash = stumble_too
    rig.add(b"a", b"b", b"b", b"c")
    await rig.start()
    assert rig.notes.halts
    rig.assign()
    await asyncio.sleep(1)
    rig.assign(HERE)
    await asyncio.sleep(60)
    assert rig.session.state is SessionState.RUNNING
    assert sorted(rig.published, key=str) == [b"0", b"1", b"2", b"3"]
    await rig.stop()


@virtual
async def test_a_partition_that_is_not_ours_any_more_is_not_halted() -> None:
    """Its last handler fails after the session was closed."""

    async def stumble(work: Work) -> Verdict:
        await asyncio.sleep(20)
        raise ZeroDivisionError

    def stumble_too(record: Record, error: Exception) -> Done:
        raise ValueError(record) from error

    rig = Rig(stumble)
    rig.on_crash = stumble_too
    rig.add(b"a")
    await rig.start()
    session = rig.session
    rig.engine.restart(HERE.topic)
    assert session.state is SessionState.CLOSED
    rig.behave = at_once
    await asyncio.sleep(60)
    assert rig.notes.halts == []
    assert rig.published == [b"0"]
    await rig.stop()
