"""The engine: sessions come and go with the assignment, and all of them share the slots.

`assign` and `revoke` are called from inside a rebalance. They must not wait for anything:
heartbeats stop while they run, and two members that drain there expel each other without end.
So they only change states; opening and closing happen in tasks of their own.
"""

import asyncio
import math
from collections.abc import Hashable, Iterable
from typing import cast

from jiraiya_events.engine.commit_loop import CommitLoop
from jiraiya_events.engine.dispatcher import Dispatcher
from jiraiya_events.engine.journal import Journal
from jiraiya_events.engine.limits import Limits
from jiraiya_events.engine.observer import Observer
from jiraiya_events.engine.parking import Parking
from jiraiya_events.engine.ports import Handler, Intake, WriterFactory
from jiraiya_events.engine.records import Partition, Record
from jiraiya_events.engine.session import Session
from jiraiya_events.engine.session_state import SessionState
from jiraiya_events.engine.statistics import Statistics, snapshot
from jiraiya_events.engine.surroundings import Surroundings
from jiraiya_events.engine.throttle import Shares

LOOP_FAILED = "the commit loop failed"
"""How the reason of a halt begins that is a bug of ours: a restart may mend it."""

LAST_COMMITS_S = 5.0
"""How long the last commits may take at shutdown, after the draining."""

CANCEL_S = 1.0
"""How long what is cancelled at shutdown may take to end: a log that hangs holds nothing up."""


class Engine:
    """Consumes the assigned partitions; see the package's docstring for the way of a record."""

    def __init__(
        self,
        intake: Intake,
        writers: WriterFactory,
        handler: Handler,
        *,
        limits: Limits | None = None,
        observer: Observer | None = None,
        journal: Journal | None = None,
    ) -> None:
        limits = limits or Limits()
        self._parking = Parking()
        self._dispatcher = Dispatcher(limits.in_flight)
        self._around = Surroundings(
            intake=intake,
            handler=handler,
            dispatcher=self._dispatcher,
            parking=self._parking,
            limits=limits,
            shares=Shares(limits),
            observer=observer or Observer(),
            journal=journal or Journal(),
        )
        self._writers = writers
        self._sessions: dict[Partition, Session] = {}
        self._lost: dict[Partition, Session] = {}
        self._loops: dict[Partition, tuple[CommitLoop, asyncio.Task[None]]] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._draining = False

    # What the reading side calls.

    def accept(self, record: Record) -> None:
        """Take in one record; never blocks. Records of foreign partitions are dropped."""
        place = cast("Partition", (record.topic, record.partition))  # equal, and cheaper to make
        session = self._sessions.get(place)
        if session is not None:
            session.accept(record)

    def assign(self, partitions: Iterable[Partition]) -> None:
        """Adopt the whole new assignment. Never waits."""
        assigned = sorted(set(partitions))
        self._around.observer.rebalanced()
        self._around.shares.divide(len(assigned))
        for partition in assigned:
            self._around.intake.pause(partition)
        for partition in sorted(set(self._sessions).difference(assigned)):
            self._lose(partition)
        if self._draining:
            return
        for partition in assigned:
            self._keep_or_start(partition)

    def revoke(self, partitions: Iterable[Partition]) -> None:
        """Stop reading and starting; the next `assign` tells what is lost. Never waits."""
        for partition in partitions:
            if session := self._sessions.get(partition):
                session.suspend()

    def begins_at(self, partition: Partition, first: int) -> None:
        """Note that the log now begins at `first`; what was lost unread is told as vanished."""
        if session := self._sessions.get(partition):
            session.begins_at(first)

    def restart(self, topic: str) -> None:
        """Forget all that is known of a topic's partitions and begin anew: its log is another one.

        Handlers that still run end into their own store; their verdicts go nowhere.
        """
        for partition in [p for p in self._lost if p.topic == topic]:
            self._forget(partition)
        for partition in [p for p in self._sessions if p.topic == topic]:
            self._around.intake.pause(partition)
            self._lose(partition)
            self._forget(partition)
            if not self._draining:
                self._keep_or_start(partition, anew=True)

    def halt(self, partition: Partition, reason: str) -> None:
        """Stop a partition until somebody acts; does nothing where it has stopped already."""
        session = self._sessions.get(partition)
        if session is not None and session.state is SessionState.RUNNING:
            session.halt(reason)

    # What the service calls.

    def unpark(
        self, at: Hashable = None, count: int | None = None, within_s: float = math.inf
    ) -> int:
        """Ask the handler again about the first `count` records parked at a place, or all.

        Only about those it would have to be asked about `within_s` seconds anyway. Returns how
        many that were; records on their way to the place are asked about too, once.
        """
        return self._parking.unpark(at, count, within_s)

    def wake(self, record: Record) -> None:
        """Ask the handler about a record at once instead of when its wait is over.

        The lane's order stays: one that is not the head of its lane, or is not here any more,
        is left alone.
        """
        partition = Partition(record.topic, record.partition)
        session = self._sessions.get(partition) or self._lost.get(partition)
        if session is not None:
            session.wake(record)

    async def stop(self, drain_s: float) -> None:
        """Stop reading and starting, wait for what runs, commit it, give the rest back.

        Handlers still running after `drain_s` seconds are cancelled; their records, and those
        that waited, belong to the next owner. Takes `drain_s` and 7 s at most, whatever the log
        does. Call before leaving the group.
        """
        self._draining = True
        self._dispatcher.stop()
        for session in self._sessions.values():
            session.drain()
        await self._wait_for_handlers(drain_s)
        for loop, _ in self._loops.values():
            loop.end()
        tasks = [*self._closing, *(task for _, task in self._loops.values())]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=LAST_COMMITS_S)
            await _cancel(late)
        for session in self._all_sessions():
            session.close()

    def statistics(self) -> Statistics:
        """Return a snapshot for people, health checks and metrics."""
        sessions = tuple(snapshot(session) for session in self._sessions.values())
        outstanding = sum(s.outstanding for s in sessions)
        busy = sum(s.in_flight + s.uncommitted for s in sessions)
        return Statistics(
            in_flight=self._dispatcher.in_flight,
            slots=self._dispatcher.slots,
            waiting=max(0, outstanding - busy),
            parked=len(self._parking),
            draining=self._draining,
            sessions=sessions,
        )

    # How sessions come and go.

    def _keep_or_start(self, partition: Partition, *, anew: bool = False) -> None:
        if session := self._sessions.get(partition):
            session.suspend()  # its position is new, whether a revocation came first or not
            session.resume()
            return
        lost = self._lost.get(partition)
        if lost is not None and lost.state is SessionState.HALTED:
            self._forget(partition)  # it has a lane that nobody would release
        session = self._lost.pop(partition, None) or Session(partition, self._around)
        session.on_idle = lambda: None
        session.reopen()
        self._sessions[partition] = session
        loop = CommitLoop(session, self._around, self._writers, anew=anew)
        task = asyncio.get_running_loop().create_task(loop.run())
        self._loops[partition] = (loop, task)
        task.add_done_callback(lambda task: self._loop_ended(session, task))

    def _lose(self, partition: Partition) -> None:
        """Stop committing at once; keep the session only while handlers still run in it."""
        session = self._sessions.pop(partition)
        _, task = self._loops.pop(partition)
        session.suspend()
        task.cancel()
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        if session.in_flight:
            self._lost[partition] = session
            session.on_idle = lambda: self._forget(partition)
        else:
            session.close()

    def _forget(self, partition: Partition) -> None:
        if session := self._lost.pop(partition, None):
            session.on_idle = lambda: None  # else it would forget a later one in its place
            session.close()

    def _loop_ended(self, session: Session, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            session.halt(f"{LOOP_FAILED}: {error!r}")

    async def _wait_for_handlers(self, drain_s: float) -> None:
        workers = set(self._dispatcher.workers)
        if workers:
            _, late = await asyncio.wait(workers, timeout=drain_s)
            await _cancel(late)

    def _all_sessions(self) -> list[Session]:
        return [*self._sessions.values(), *self._lost.values()]


async def _cancel(tasks: Iterable[asyncio.Task[None]]) -> None:
    tasks = list(tasks)
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=CANCEL_S)
