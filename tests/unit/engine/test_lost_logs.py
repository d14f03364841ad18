"""What the engine does when the log it reads loses records, or is another one all at once."""

import asyncio

from jiraiya_events.engine.engine import LOOP_FAILED
from jiraiya_events.engine.errors import WriterFailed
from jiraiya_events.engine.offset_map import Progress
from jiraiya_events.engine.records import Committed, Partition
from jiraiya_events.engine.session_state import SessionState
from jiraiya_events.engine.tracker import OffsetTracker
from jiraiya_events.engine.verdicts import Done, Verdict, Work
from tests.unit.engine.rig import HERE, Rig, at_once, echo, virtual


def lost(tracker: OffsetTracker, first: int) -> list[list[int]]:
    """Return what is told as lost when the log begins at `first`."""
    return [list(offsets) for offsets in tracker.begins_at(first)]


def test_what_was_never_read_below_the_beginning_is_lost() -> None:
    """And the frontier stands at the beginning afterwards."""
    tracker = OffsetTracker(Progress(3))
    assert lost(tracker, 6) == [[3, 4, 5]]
    assert (tracker.frontier, tracker.next_expected) == (6, 6)
    assert lost(tracker, 6) == []


def test_what_a_map_calls_finished_is_not_lost() -> None:
    """Of a restored map only the outstanding records are, and what lies behind it."""
    tracker = OffsetTracker(Progress(8, {3: 1, 6: 0}))
    assert lost(tracker, 10) == [[3, 6], [8, 9]]
    assert tracker.outstanding == 0


def test_a_record_that_was_read_is_not_lost_with_its_log() -> None:
    """It is at work here, and will be committed."""
    tracker = OffsetTracker(Progress(0))
    tracker.accept(0)
    tracker.accept(1)
    assert lost(tracker, 5) == [[2, 3, 4]]
    assert tracker.frontier == 0
    assert tracker.is_outstanding(1)


def test_a_reader_that_jumped_before_anybody_asked_is_found_out() -> None:
    """The client moves to the log's beginning by itself and in silence."""
    tracker = OffsetTracker(Progress(2))
    tracker.accept(9)
    assert lost(tracker, 7) == [[2, 3, 4, 5, 6]]
    assert lost(tracker, 7) == []


def test_a_position_that_was_taken_over_hides_no_loss() -> None:
    """An idle partition steps over control records, and so over what was deleted."""
    tracker = OffsetTracker(Progress(2))
    tracker.advance(7)
    assert lost(tracker, 7) == [[2, 3, 4, 5, 6]]
    tracker.advance(9)
    assert lost(tracker, 7) == []


def test_gaps_that_transactions_leave_are_not_losses() -> None:
    """A log that begins before them has lost nothing."""
    tracker = OffsetTracker(Progress(0))
    for offset in (0, 2, 5):
        tracker.accept(offset)
    assert lost(tracker, 0) == []
    assert lost(tracker, 3) == []


@virtual
async def test_a_session_tells_what_the_log_lost_and_commits_past_it() -> None:
    """Lag reaches 0 although the records never came."""
    rig = Rig(idle_s=0.5)
    rig.log.committed[HERE] = Committed(0)
    rig.log.ends[HERE] = 4
    await rig.start()
    rig.engine.begins_at(HERE, 4)
    rig.engine.begins_at(Partition("in", 9), 4)
    await asyncio.sleep(2)
    assert rig.notes.lost == [0, 1, 2, 3]
    assert rig.committed == Committed(4)
    await rig.stop()


@virtual
async def test_a_restart_forgets_the_old_log_and_what_runs_of_it() -> None:
    """Its verdicts go nowhere, and offsets of the new log are new."""
    gate = asyncio.Event()

    async def wait_for_old_ones(work: Work) -> Verdict:
        if work.record.value == b"old":
            await gate.wait()
            return Done([echo(work.record)])
        return await at_once(work)

    rig = Rig(wait_for_old_ones)
    rig.log.append(HERE, b"a", b"old")
    rig.log.append(HERE, b"b", b"old")
    await rig.start()
    assert rig.started == [0, 1]
    rig.log.records.pop(HERE)
    rig.log.ends.pop(HERE)
    rig.log.append(HERE, b"a", b"new")
    rig.engine.restart(HERE.topic)
    await asyncio.sleep(1)
    assert rig.started == [0, 1, 0]
    assert rig.published == [b"0"]
    gate.set()
    await asyncio.sleep(1)
    assert rig.published == [b"0"]
    assert rig.committed == Committed(1)
    assert rig.engine.statistics().in_flight == 0
    await rig.stop()


@virtual
async def test_a_restart_forgets_a_lost_session_too() -> None:
    """Kept for what still runs in it, it would take the new log's records for old ones."""
    gate = asyncio.Event()

    async def wait(work: Work) -> Verdict:
        await gate.wait()
        return await at_once(work)

    rig = Rig(wait)
    rig.add(b"a", b"b")
    await rig.start()
    rig.assign()
    rig.engine.restart(HERE.topic)
    rig.assign(HERE)
    await asyncio.sleep(1)
    assert rig.started == [0, 1, 0, 1]
    gate.set()
    await rig.stop()


@virtual
async def test_a_partition_that_was_halted_from_outside_says_why() -> None:
    """Once, and only while it runs."""
    rig = Rig()
    await rig.start()
    rig.engine.halt(HERE, "the log is shorter than our progress")
    rig.engine.halt(HERE, "again")
    (session,) = rig.engine.statistics().sessions
    assert session.state is SessionState.HALTED
    assert rig.notes.halts == ["the log is shorter than our progress"]
    await rig.stop()


@virtual
async def test_a_commit_that_fails_again_and_again_is_tried_ever_more_rarely() -> None:
    """A missing topic fails at once, and a new writer opens well each time."""
    rig = Rig()
    rig.commit_troubles = [(WriterFailed("no such topic"), 0) for _ in range(9)]
    rig.add(b"a")
    await rig.start()
    await asyncio.sleep(60)
    waits = [round(b - a, 1) for a, b in zip(rig.opens, rig.opens[1:], strict=False)]
    assert waits == sorted(waits)
    assert (waits[0] < 0.2, waits[-1]) == (True, 5.1)
    assert rig.published == [b"0"]
    await rig.stop()


@virtual
async def test_statistics_say_what_could_start() -> None:
    """A lane that waits for a slot, and the slots there are."""
    gate = asyncio.Event()

    async def wait(work: Work) -> Verdict:
        await gate.wait()
        return await at_once(work)

    rig = Rig(wait, in_flight=1)
    rig.add(b"a", b"b")
    await rig.start()
    statistics = rig.engine.statistics()
    assert (statistics.in_flight, statistics.slots) == (1, 1)
    assert statistics.sessions[0].can_start
    gate.set()
    await asyncio.sleep(1)
    assert not rig.engine.statistics().sessions[0].can_start
    await rig.stop()


@virtual
async def test_a_commit_loop_that_dies_of_a_bug_is_told_apart() -> None:
    """A restart may mend that, and nothing else does."""
    rig = Rig()
    rig.commit_troubles = [(ZeroDivisionError(), 0)]
    rig.add(b"a")
    await rig.start()
    (session,) = rig.engine.statistics().sessions
    assert session.reason.startswith(LOOP_FAILED)
    await rig.stop()


@virtual
async def test_a_restart_does_not_believe_what_the_old_log_has_committed() -> None:
    """Between the new log and our look the old sessions went on committing old offsets."""
    rig = Rig()
    for _ in range(3):
        rig.add(b"a")
    await rig.start()
    assert rig.committed == Committed(3)
    rig.log.records.pop(HERE)
    rig.log.records.pop(Partition("out", 0))
    rig.log.ends.pop(HERE)
    rig.commit_troubles = [(WriterFailed("away"), 0)]
    rig.add(*(b"%d" % n for n in range(5)))
    rig.engine.restart(HERE.topic)
    await asyncio.sleep(2)
    assert rig.published == [b"0", b"1", b"2", b"3", b"4"]
    assert rig.committed == Committed(5)
    await rig.stop()


@virtual
async def test_after_a_restart_a_commit_of_unknown_fate_is_not_repeated() -> None:
    """Only the old log's progress is not believed, not our own."""
    rig = Rig()
    rig.log.committed[HERE] = Committed(70)
    rig.add(b"a", b"b")
    rig.commit_troubles = [(0, WriterFailed("no answer"))]
    await rig.start()
    rig.engine.restart(HERE.topic)
    await asyncio.sleep(2)
    assert rig.published == [b"0", b"1"]
    await rig.stop()


@virtual
async def test_a_restart_while_draining_starts_nothing() -> None:
    """What comes now is the next owner's."""
    gate = asyncio.Event()

    async def wait(work: Work) -> Verdict:
        await gate.wait()
        return await at_once(work)

    rig = Rig(wait)
    rig.add(b"a")
    await rig.start()
    stopping = asyncio.create_task(rig.stop(drain_s=5))
    await asyncio.sleep(1)
    rig.engine.restart(HERE.topic)
    rig.add(b"b")
    await asyncio.sleep(1)
    gate.set()
    await stopping
    assert rig.started == [0]
