"""The commit loop of one session: open a writer, then one transaction after another.

One task per session, and the only one that touches the writer. After any failure it opens a new
writer — which ends the old transaction one way or the other — reads what the log says is
committed, and lets the session forget exactly that. So a commit whose fate is unknown is
neither lost nor repeated.
"""

import asyncio
import contextlib

from jiraiya_events.engine import offset_map
from jiraiya_events.engine.batch_size import BatchSize
from jiraiya_events.engine.errors import (
    EngineError,
    Fenced,
    NothingAccepted,
    OutputsRefused,
    ProgressUnreadable,
    WriterFailed,
)
from jiraiya_events.engine.finished import Finished
from jiraiya_events.engine.offset_map import Progress
from jiraiya_events.engine.ports import Writer, WriterFactory
from jiraiya_events.engine.records import Committed
from jiraiya_events.engine.refusals import Refusals
from jiraiya_events.engine.session import Session
from jiraiya_events.engine.session_state import SessionState
from jiraiya_events.engine.surroundings import Surroundings
from jiraiya_events.engine.tracker import OffsetTracker

RETRY_S = (0.1, 5.0)
"""First and longest wait between attempts to open a writer; doubling."""


class CommitLoop:
    """Commits what a session finishes, until it is cancelled or asked to end."""

    def __init__(
        self,
        session: Session,
        around: Surroundings,
        writers: WriterFactory,
        *,
        anew: bool = False,
    ) -> None:
        self._session = session
        self._around = around
        self._writers = writers
        self._writer: Writer | None = None
        self._work = asyncio.Event()
        self._ending = False
        self._ended = asyncio.Event()
        self._anew = anew
        self._untrue: Committed | None = None
        """What is committed speaks of another log of that name, until we commit ourselves."""
        self._last = Committed(None)
        self._refusals = Refusals(around.handler)
        self._size = BatchSize()
        self._failed_in_a_row = 0
        self._enough = asyncio.Event()
        session.listen(on_work=self._work.set, on_enough=self._enough.set)

    def end(self) -> None:
        """Commit what is finished now, then return from `run`."""
        self._ending = True
        self._ended.set()
        self._work.set()

    async def run(self) -> None:
        """Open, commit, reopen after failures; the writer is closed on every way out."""
        try:
            await self._open()
            while not self._over:
                await self._wait()
                await self._commit_or_reopen()
            if self._session.uncommitted.tries_changed:
                await self._commit_or_reopen()
        except (NothingAccepted, ProgressUnreadable) as error:
            self._session.halt(str(error))
        finally:
            await self._close()

    @property
    def _over(self) -> bool:
        return self._ending and (self._session.uncommitted.committable <= 0 or self._writer is None)

    async def _open(self) -> None:
        """Open, unless and until the partition is somebody else's: that would fence them."""
        wait, longest = RETRY_S
        while await self._is_ours():
            try:
                self._writer = self._writers(self._session.partition)
                committed = await self._writer.open()
                progress = await self._progress(committed)
            except (Fenced, WriterFailed) as error:
                self._failed(error)
                await self._close()
                if self._ending:
                    return
                await self._pause(wait)
                wait = min(wait * 2, longest)
            else:
                self._last = committed
                self._session.opened(progress)
                return

    async def _progress(self, committed: Committed) -> Progress:
        """Return where to go on: as committed, at the log's beginning when nothing (true) is."""
        if self._anew:
            self._anew, self._untrue = False, committed
        fresh = committed.offset is None and self._session.tracker is None
        if fresh or committed == self._untrue:
            return Progress(await self._around.intake.beginning(self._session.partition))
        return offset_map.decode(committed)

    async def _close(self) -> None:
        if self._writer is not None:
            writer, self._writer = self._writer, None
            await writer.close()

    async def _wait(self) -> None:
        """Wait for something to commit, then a little longer for company."""
        uncommitted = self._session.uncommitted
        if not (uncommitted.is_work or self._ending):
            await self._wait_for_work()
        if not (uncommitted.is_enough or self._ending):
            await self._linger()

    async def _linger(self) -> None:
        """Wait for company, but no longer than it takes to have enough for a transaction."""
        self._enough.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._around.limits.linger_s):
                await self._enough.wait()

    async def _wait_for_work(self) -> None:
        self._work.clear()
        try:
            async with asyncio.timeout(self._around.limits.idle_s):
                await self._work.wait()
        except TimeoutError:
            await self._note_position()

    async def _note_position(self) -> None:
        """Step over control records at the end of the log, so that lag reaches 0."""
        session, tracker = self._session, self._session.tracker
        if session.state is not SessionState.RUNNING or tracker is None or tracker.outstanding:
            return
        position = await self._around.intake.position(session.partition)
        still_ours = session.state is SessionState.RUNNING
        if still_ours and position is not None and not tracker.outstanding:
            tracker.advance(position)

    async def _commit_or_reopen(self) -> None:
        batch, committed = self._batch()
        try:
            await self._commit(batch, committed)
        except OutputsRefused as error:
            self._failed(error)
            self._refusals.make_smaller(batch, error)
            await self._reopen()
        except Fenced as error:
            self._failed(error)
            self._size.failed(batch)
            await self._close()
            await self._pause(self._around.limits.reopen_s)
            await self._reopen()
        except WriterFailed as error:
            self._failed(error)
            self._size.failed(batch)
            await self._back_off()
            await self._reopen()

    async def _back_off(self) -> None:
        """Wait longer from failure to failure: a new writer opens well where a topic is missing.

        The first one is followed at once: it may be a broker that moved.
        """
        self._failed_in_a_row += 1
        if self._failed_in_a_row > 1:
            await self._close()
            first, longest = RETRY_S
            await self._pause(min(first * 2 ** (self._failed_in_a_row - 2), longest))

    async def _pause(self, seconds: float) -> None:
        """Wait; a stop that comes meanwhile ends it, so that there is time for a last commit."""
        if self._ending:
            await asyncio.sleep(seconds)
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._ended.wait()

    async def _reopen(self) -> None:
        await self._close()
        await self._open()

    async def _is_ours(self) -> bool:
        """Tell whose the partition is, as soon as that is known; a stop asks no longer."""
        while not self._session.owned and not self._ending:
            await self._pause(self._around.limits.reopen_s)  # a rebalance is under way
        return self._session.owned

    def _failed(self, error: EngineError) -> None:
        self._around.observer.transaction_failed(self._session.partition, error)

    def _batch(self) -> tuple[list[Finished], Committed]:
        """Return what to commit now and the progress that goes with exactly that."""
        tracker = self._session.tracker
        if tracker is None:
            return [], self._last
        finished = self._session.uncommitted.items
        batch, committed, covered = self._first_of(finished, tracker)
        if any(item.record.offset >= covered for item in batch):
            # What the map of an empty transaction covers, that of any other covers as well.
            _, covered = offset_map.encode(tracker.progress_with(()))
            speakable = [item for item in finished if item.record.offset < covered]
            batch, committed, covered = self._first_of(speakable, tracker)
        if self._session.uncommitted.cover(covered):
            self._around.dispatcher.offer(self._session)  # it does not count any more
        return batch, committed

    def _first_of(
        self, finished: list[Finished], tracker: OffsetTracker
    ) -> tuple[list[Finished], Committed, int]:
        """Return what may go next, the progress with it, and the offset up to which that speaks."""
        batch = self._size.first_of(self._refusals.next_in_order(finished))
        progress = tracker.progress_with({item.record.offset for item in batch})
        return batch, *offset_map.encode(progress)

    async def _commit(self, batch: list[Finished], committed: Committed) -> None:
        session = self._session
        started = asyncio.get_running_loop().time()
        with session.uncommitted.taken_up(batch):
            if self._writer is None or committed == self._last:
                return
            self._around.dispatcher.offer(session)  # handlers go on while the log works
            await self._writer.commit([o for item in batch for o in item.outputs], committed)
        seconds = asyncio.get_running_loop().time() - started
        self._failed_in_a_row = 0
        self._size.succeeded()
        self._untrue = None
        self._last = committed
        self._refusals.accepted(batch)
        session.committed(batch, committed)
        self._around.observer.committed([(i.record, i.label) for i in batch], seconds)
