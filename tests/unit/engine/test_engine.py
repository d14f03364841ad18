"""The engine: sessions come and go with the assignment, and a stop loses nothing."""

import asyncio
import inspect
from collections.abc import Sequence
from contextlib import suppress

from jiraiya_events.engine.engine import Engine
from jiraiya_events.engine.records import Committed, Output, Partition, Record
from jiraiya_events.engine.session_state import SessionState
from jiraiya_events.engine.verdicts import Retry, Verdict, Work
from tests.unit.engine.rig import HERE, Rig, TroubledWriter, at_once, virtual

OTHER = Partition("in", 1)


async def slow(work: Work) -> Verdict:
    """Take five seconds."""
    await asyncio.sleep(5)
    return await at_once(work)


def test_rebalance_callbacks_cannot_wait() -> None:
    """Heartbeats stop while they run."""
    assert not inspect.iscoroutinefunction(Engine.assign)
    assert not inspect.iscoroutinefunction(Engine.revoke)
    assert not inspect.iscoroutinefunction(Engine.accept)


@virtual
async def test_a_partition_that_comes_back_goes_on_where_it_was() -> None:
    """What ran during the rebalance is published, nothing is started twice."""
    rig = Rig(slow)
    rig.add(b"a", b"b")
    await rig.start()
    rig.assign(HERE)
    await asyncio.sleep(10)
    assert rig.started == [0, 1]
    assert len(rig.opens) == 1
    assert len(rig.published) == 2
    await rig.stop()


@virtual
async def test_an_assignment_without_a_revocation_goes_on_reading() -> None:
    """A new assignment pauses everything and must resume it as well."""
    rig = Rig()
    await rig.start()
    rig.engine.assign([HERE])
    rig.add(b"a")
    await asyncio.sleep(1)
    assert rig.published == [b"0"]
    await rig.stop()


@virtual
async def test_a_lost_partition_with_running_handlers_is_revived() -> None:
    """It opens a new epoch, and the handler that still runs ends its record."""
    rig = Rig(slow)
    rig.add(b"a")
    await rig.start()
    rig.assign()
    assert rig.engine.statistics().sessions == ()
    rig.assign(HERE)
    await asyncio.sleep(10)
    assert rig.started == [0]
    assert len(rig.opens) == 2
    assert rig.published == [b"0"]
    await rig.stop()


@virtual
async def test_a_lost_partition_is_forgotten_when_its_last_handler_ends() -> None:
    """Its verdict is not published, and its timers are gone."""
    rig = Rig(slow)
    rig.add(b"a")
    await rig.start()
    rig.assign()
    await asyncio.sleep(10)
    assert rig.published == []
    assert rig.engine._lost == {}
    rig.assign(HERE)
    await asyncio.sleep(10)
    assert rig.started == [0, 0]
    assert rig.published == [b"0"]
    await rig.stop()


@virtual
async def test_a_lost_idle_partition_is_closed_at_once() -> None:
    """Nothing of it stays, also when it was waiting for a retry."""

    async def later(work: Work) -> Verdict:
        return Retry(100)

    rig = Rig(later)
    rig.add(b"a")
    await rig.start()
    session = rig.session
    rig.assign(OTHER)
    assert session.state is SessionState.CLOSED
    session.halt("too late")
    await asyncio.sleep(200)
    assert rig.started == [0]
    await rig.stop()


@virtual
async def test_records_of_foreign_partitions_are_dropped() -> None:
    """A record fetched before a rebalance may arrive after it."""
    rig = Rig()
    rig.engine.accept(Record("in", 7, 0, 0, None, None))
    rig.engine.revoke([HERE])
    assert rig.started == []
    await rig.stop()


@virtual
async def test_a_stop_drains_and_commits_what_finishes() -> None:
    """Running handlers may end; records that waited belong to the next owner."""
    rig = Rig(slow, in_flight=1)
    rig.add(b"a", b"b")
    await rig.start()
    await rig.stop(drain_s=10)
    assert rig.started == [0]
    assert rig.published == [b"0"]
    assert rig.committed.offset == 1
    assert rig.engine.statistics().draining


@virtual
async def test_a_stop_cancels_what_takes_too_long() -> None:
    """It ends in time, and the cancelled record is not committed."""
    rig = Rig(slow)
    rig.add(b"a")
    await rig.start()
    began = asyncio.get_running_loop().time()
    await rig.stop(drain_s=2)
    assert asyncio.get_running_loop().time() - began < 3
    assert rig.published == []
    assert rig.committed.offset in {None, 0}


@virtual
async def test_a_stop_waits_for_nothing_that_does_not_end() -> None:
    """Neither for a handler that takes no cancellation, nor for a log that answers nothing."""

    class Hanging(TroubledWriter):
        async def commit(self, outputs: Sequence[Output], committed: Committed) -> None:
            await self.close()

        async def close(self) -> None:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(1_000)
            await asyncio.sleep(1_000)

    async def stubborn(work: Work) -> Verdict:
        if work.record.offset:
            return await at_once(work)
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(1_000)
        await asyncio.sleep(1_000)
        return await at_once(work)

    rig = Rig(stubborn)

    def hanging(partition: Partition) -> Hanging:
        return Hanging(rig, partition)

    rig.engine._writers = hanging
    rig.add(b"a", b"b")
    await rig.start()
    began = asyncio.get_running_loop().time()
    await rig.stop(drain_s=2)
    assert asyncio.get_running_loop().time() - began <= 2 + 7


@virtual
async def test_a_draining_engine_does_not_fight_for_a_lost_partition() -> None:
    """Its new owner is not fenced by the one that is leaving."""
    rig = Rig(slow)
    rig.add(b"a")
    await rig.start()
    stopping = asyncio.ensure_future(rig.engine.stop(drain_s=20))
    await asyncio.sleep(0.1)
    rig.assign()
    rig.log.new_epoch(HERE)
    await asyncio.wait([stopping])
    assert len(rig.opens) == 1
    assert rig.published == []


@virtual
async def test_an_assignment_while_draining_starts_nothing() -> None:
    """A partition given to a leaving member stays paused."""
    rig = Rig()
    await rig.start()
    await rig.engine.stop(0)
    rig.add(b"a", partition=OTHER)
    rig.assign(HERE, OTHER)
    await asyncio.sleep(5)
    assert rig.started == []
    assert len(rig.opens) == 1
    await rig.stop()


@virtual
async def test_a_commit_loop_that_breaks_halts_its_partition() -> None:
    """A bug is visible, not a partition that stands still in silence."""
    rig = Rig()
    rig.commit_troubles = [(ZeroDivisionError("a bug"), 0)]
    rig.add(b"a")
    await rig.start()
    assert rig.session.state is SessionState.HALTED
    assert "a bug" in rig.notes.halts[0]
    await rig.stop()


@virtual
async def test_statistics_count_what_waits_runs_and_is_finished() -> None:
    """One runs, two wait."""
    rig = Rig(slow, in_flight=1)
    rig.add(b"a", b"a", b"b")
    assert rig.engine.statistics().sessions == ()
    rig.intake.assign([HERE])
    rig.engine.assign([HERE])
    (opening,) = rig.engine.statistics().sessions
    assert (opening.state, opening.outstanding, opening.frontier) == (SessionState.INIT, 0, None)
    await rig.start()
    statistics = rig.engine.statistics()
    (session,) = statistics.sessions
    assert (statistics.in_flight, statistics.waiting, statistics.parked) == (1, 2, 0)
    assert (session.outstanding, session.in_flight, session.lanes) == (3, 1, 2)
    assert (session.next_expected, session.frontier) == (3, 0)
    await rig.stop(0)


@virtual
async def test_a_session_that_is_gone_closes_no_later_one_when_its_handler_ends() -> None:
    """The record would be in flight twice."""
    gates = [asyncio.Event(), asyncio.Event()]

    async def wait(work: Work) -> Verdict:
        await gates[len(rig.started) > 1].wait()
        return await at_once(work)

    rig = Rig(wait)
    rig.add(b"a")
    await rig.start()
    rig.assign()
    rig.engine.restart(HERE.topic)
    rig.assign(HERE)
    await asyncio.sleep(1)
    rig.assign()
    gates[0].set()
    await asyncio.sleep(1)
    rig.assign(HERE)
    await asyncio.sleep(1)
    assert rig.started == [0, 0]
    gates[1].set()
    await asyncio.sleep(1)
    assert rig.published == [b"0"]
    await rig.stop()
