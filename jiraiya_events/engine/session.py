"""One assigned partition: its gate, lanes, limits and what waits to be committed.

Who owns what: everything here is touched only from the event loop's thread, and no method
but `run` awaits, so each is atomic. Tasks around it: the opener/committer (`CommitLoop`), and
the dispatcher's workers, each with one record at a time. `run` ends in `_settle`, the only way a
verdict gets in; verdicts of records that are no longer outstanding here are refused there.

States: INIT (opening) → RUNNING ⇄ SUSPENDED (revoked, fate unknown, or lost) → CLOSED; DRAINING
only at shutdown; HALTED until somebody acts. Work is started in RUNNING alone. What already
runs when a partition is revoked goes on: if the partition comes back, even after somebody else
had it, it continues and `opened` sorts out what was finished meanwhile; if it stays lost, the
handler ends into its own store and the verdict goes nowhere.
"""

import asyncio
from collections.abc import Callable

from jiraiya_events.engine.finished import Finished
from jiraiya_events.engine.journal import Standing
from jiraiya_events.engine.lanes import Lane, Lanes, LaneState
from jiraiya_events.engine.offset_map import Progress
from jiraiya_events.engine.records import Committed, Partition, Record
from jiraiya_events.engine.session_state import SessionState
from jiraiya_events.engine.surroundings import Surroundings
from jiraiya_events.engine.throttle import Throttle
from jiraiya_events.engine.tracker import OffsetTracker
from jiraiya_events.engine.turns import MEANT, take_turn
from jiraiya_events.engine.uncommitted import Uncommitted
from jiraiya_events.engine.verdicts import Done, Park, Retry, Verdict, Work
from jiraiya_events.engine.waiting import Waiting


class Session:
    """The state of one assigned partition."""

    def __init__(self, partition: Partition, around: Surroundings) -> None:
        self.partition = partition
        self.state = SessionState.INIT
        self.reason = ""
        self.tracker: OffsetTracker | None = None
        self.lanes = Lanes()
        self.uncommitted = Uncommitted(around.limits.uncommitted)
        self.in_flight = 0
        """How many records a handler works on."""
        self.on_idle: Callable[[], None] = lambda: None
        self._around = around
        self.throttle = Throttle(partition, around.intake, around.shares)
        self.owned = True
        """The partition is ours, as far as we know: a new epoch of it would fence nobody."""
        self.suspended_at_s: float | None = None
        """Since when nobody has told whether the partition is still ours, by the loop's clock."""
        self._open = False
        self._waiting = Waiting(around.parking, self._release)
        self._on_work: Callable[[], None] = lambda: None
        self._on_enough: Callable[[], None] = lambda: None

    # The gate: what is read.

    def accept(self, record: Record) -> None:
        """Take in a record, or drop it: a seek has fetched, or will fetch, what is dropped."""
        tracker = self.tracker
        if self.state is not SessionState.RUNNING or tracker is None:
            return
        if tracker.unread and (lost := tracker.vanished(record.offset)):
            self._around.observer.vanished(self.partition, lost)
        tries = tracker.accept(record.offset)
        if tries is None:
            return
        work = Work(record, asyncio.get_running_loop().time(), tries)
        self.lanes.add(work)
        self._around.observer.consumed(record)
        self.throttle.take_in(record.size, tracker)
        self._around.dispatcher.offer(self)

    def begins_at(self, first: int) -> None:
        """Pass over what the log has lost below `first`, and say what of it was not done."""
        if self.state is SessionState.RUNNING and self.tracker is not None:
            for offsets in self.tracker.begins_at(first):
                self._around.observer.vanished(self.partition, offsets)

    def adjust_intake(self) -> None:
        """Pause or resume reading, as the limits say."""
        if self.state is SessionState.RUNNING and self.tracker is not None:
            self.throttle.adjust(self.tracker)

    # What runs.

    @property
    def can_start(self) -> bool:
        """Tell whether a lane waits for a slot and may have one."""
        return (
            self.state is SessionState.RUNNING
            and self.lanes.has_ready
            and not self.uncommitted.is_full
        )

    @property
    def next_runs_alone(self) -> bool:
        """Tell whether the next record may have killed the process before."""
        journal = self._around.journal
        return journal.wary and (
            journal.standing(self.lanes.first_ready.record) is not Standing.CLEAR
        )

    def start_next(self) -> Lane:
        """Take the next ready lane for a worker to `run`."""
        self.in_flight += 1
        lane = self.lanes.start_next()
        lane.wakes_before = self._around.parking.wakes
        return lane

    async def run(self, lane: Lane) -> None:
        """Give the head of a lane to the handler, and take in what it says."""
        work = lane.head
        note = self._around.journal.began(work.record)
        try:
            self._settle(lane, await take_turn(work, self._around))
        except MEANT:
            self.lanes.hold(lane)
            raise
        except BaseException as error:  # noqa: BLE001 - not even `crashed` could say how it ends
            self.lanes.hold(lane)
            self.halt(
                f"the handler cannot even report its failure on {work.record.offset}: "
                f"{error!r}; restart the service, and report this line"
            )
        finally:
            self._around.journal.ended(note)
            self.in_flight -= 1
            if not self.in_flight:
                self.on_idle()

    def _settle(self, lane: Lane, verdict: Verdict) -> None:
        """Take in a verdict, unless somebody else has finished the record meanwhile."""
        work = lane.head
        tracker = self.tracker
        if tracker is None or not tracker.is_outstanding(work.record.offset):
            self.throttle.bytes -= work.record.size
            self.lanes.finish(lane)
            self.adjust_intake()
        elif isinstance(verdict, Done):
            self.lanes.finish(lane)
            self.uncommitted.add(Finished(work, verdict.outputs, verdict.label))
            if self.uncommitted.is_enough:
                self._on_enough()
            self._on_work()
        else:
            self._remember_tries(work)
            self._hold(lane, verdict)

    def _remember_tries(self, work: Work) -> None:
        tracker = self.tracker
        if tracker is not None and work.tries != tracker.tries(work.record.offset):
            tracker.set_tries(work.record.offset, work.tries)
            self.uncommitted.tries_changed = True
            self._on_work()

    def _hold(self, lane: Lane, verdict: Retry | Park) -> None:
        self.lanes.hold(lane)
        idle = self.state in {SessionState.SUSPENDED, SessionState.HALTED}
        if lane.woken or (idle and isinstance(verdict, Park)):
            self._release(lane)
        else:
            self._waiting.hold(lane, verdict)

    def _release(self, lane: Lane) -> None:
        self.lanes.release(lane)
        self._around.dispatcher.offer(self)

    # What the committer and the engine do with it.

    def listen(self, *, on_work: Callable[[], None], on_enough: Callable[[], None]) -> None:
        """Call these when there is something to commit, and enough to wait for no more."""
        self._on_work, self._on_enough = on_work, on_enough

    def wake(self, record: Record) -> None:
        """Give a waiting record its turn; one in flight has another if it then wants to wait.

        A turn that is under way may have looked already at what this is about.
        """
        lane = self.lanes.headed_by(record)
        if lane is None or lane.state is LaneState.READY:
            return
        if lane.state is LaneState.IN_FLIGHT:
            lane.woken = True
        else:
            self._waiting.leave(lane)
            self._release(lane)

    def opened(self, progress: Progress) -> None:
        """Start, or go on after a new epoch, from what is committed."""
        if self.tracker is None:
            self.tracker = OffsetTracker(progress)
        else:
            self._forget(self.tracker.restore(progress))
            self._count_on(self.tracker)
        self._open = True
        if self.state is SessionState.INIT:
            self.resume()
        self._around.dispatcher.offer(self)  # lanes may be free of what another epoch has finished

    def reopen(self) -> None:
        """Wait for `opened`: the partition is, or was meanwhile, another epoch's."""
        self.state = SessionState.INIT
        self.suspended_at_s = None
        self.owned = True
        self._open = False

    def resume(self) -> None:
        """Read and work again from the next expected offset on, as soon as it is known."""
        self.owned = True
        if self.state not in {SessionState.INIT, SessionState.SUSPENDED}:
            return
        self.suspended_at_s = None
        if self.tracker is None or not self._open:
            self.state = SessionState.INIT
            return
        self.state = SessionState.RUNNING
        self.throttle.restart()
        self._around.intake.seek(self.partition, self.tracker.next_expected)
        self.adjust_intake()
        self._around.dispatcher.offer(self)

    def suspend(self) -> None:
        """Stop reading and starting; the partition may come back."""
        self.owned = False
        if self.state in {SessionState.INIT, SessionState.RUNNING}:
            self.state = SessionState.SUSPENDED
            self.suspended_at_s = asyncio.get_running_loop().time()
            self._waiting.give_up_parking()

    def drain(self) -> None:
        """Stop reading and starting for good; what runs may finish and is committed."""
        if self.state in {SessionState.INIT, SessionState.RUNNING, SessionState.SUSPENDED}:
            self.state = SessionState.DRAINING
            self._around.intake.pause(self.partition)

    def halt(self, reason: str) -> None:
        """Stop until somebody acts: going on would lose or double something."""
        if self.state is SessionState.CLOSED:
            return
        self.state = SessionState.HALTED
        self._waiting.give_up_parking()
        self.reason = reason
        self._around.intake.pause(self.partition)
        self._around.observer.halted(self.partition, reason)

    def close(self) -> None:
        """Forget everything; a verdict that still arrives is refused."""
        self.state = SessionState.CLOSED
        self.tracker = None
        self.uncommitted.clear()
        for lane in self.lanes:
            self._waiting.leave(lane)

    def committed(self, batch: list[Finished], committed: Committed) -> None:
        """Take note that a batch's transaction succeeded, and the progress with it."""
        offsets = {item.record.offset for item in batch}
        if self.tracker is not None:
            self.tracker.settle(offsets)
        if self._around.journal.wary:
            self._around.journal.committed(item.record for item in batch)
        self.throttle.metadata_chars = len(committed.metadata)
        self.throttle.bytes -= sum(item.record.size for item in batch)
        self.uncommitted.settle(offsets)
        self.adjust_intake()
        self._around.dispatcher.offer(self)

    def _count_on(self, tracker: OffsetTracker) -> None:
        """Let waiting records know the tries that another owner has counted meanwhile."""
        for lane in self.lanes:
            for work in lane.queue:
                if tracker.is_outstanding(work.record.offset):
                    work.tries = max(work.tries, tracker.tries(work.record.offset))

    def _forget(self, offsets: set[int]) -> None:
        """Drop what another owner has finished meanwhile; what runs is refused in `_settle`."""
        if not offsets:
            return
        gone = [item.record for item in self.uncommitted.settle(offsets)]
        for lane in list(self.lanes):
            if lane.state is LaneState.HELD and lane.head.record.offset in offsets:
                self._waiting.leave(lane)
                self.lanes.release(lane)
        gone += [work.record for work in self.lanes.drop(offsets)]
        self._around.journal.committed(gone)
        self.throttle.bytes -= sum(record.size for record in gone)
        self.adjust_intake()
