"""Slots: which record runs next, fairly across partitions and keys, and the tasks they run in.

Sessions with something to start stand in a ring and take turns, one record each; inside a
session the lanes do the same. A slot in use is a *worker*: a task that runs one record, then
the next whose turn it is, of whatever session, and ends when there is none. So a burst costs a
task a slot, not a task a record.

Everything runs on one event loop. Choosing a record and taking its slot happen without an await
between them, so a slot cannot be given away twice. It comes back when its worker's task is over,
whatever ended that, even a cancellation before its first step.

Some records must run *alone*, with no other in flight. When the turn of one comes nothing else is
started until the last worker has ended; then it runs, and its worker takes no other record. So it
cannot starve: whoever came before it is under way already, and nobody passes it. And it holds the
others up only while it waits or runs: a record that waits for a retry has no turn, a session that
may not start anything leaves the ring, and how long a turn takes is bounded by the handler. "Alone"
ends in `_ended`, when no worker is left, so it cannot outlive its worker either.
"""

import asyncio
from collections import deque
from typing import Protocol

from jiraiya_events.engine.lanes import Lane


class Startable(Protocol):
    """A session, as the dispatcher sees it."""

    @property
    def can_start(self) -> bool:
        """Tell whether a record may and wants to be started."""
        ...

    @property
    def next_runs_alone(self) -> bool:
        """Tell whether the record `start_next` would start must have no other beside it."""
        ...

    def start_next(self) -> Lane:
        """Take the next lane; its head is in flight from now on."""
        ...

    async def run(self, lane: Lane) -> None:
        """Work on the head of a lane that was taken; raises nothing but a cancellation."""
        ...


class Dispatcher:
    """Hands out `slots` slots in turn."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self._ring: deque[Startable] = deque()
        self._in_ring: set[Startable] = set()
        self._stopped = False
        self._alone = False
        self.workers: set[asyncio.Task[None]] = set()

    @property
    def in_flight(self) -> int:
        """Return how many slots are in use."""
        return len(self.workers)

    def offer(self, session: Startable) -> None:
        """Note that a session may have something to start, and start what there is room for."""
        self._note(session)
        self._pump()

    def stop(self) -> None:
        """Start nothing any more."""
        self._stopped = True

    def _note(self, session: Startable) -> None:
        if session not in self._in_ring and session.can_start:
            self._ring.append(session)
            self._in_ring.add(session)

    def _pump(self) -> None:
        while len(self.workers) < self.slots and (chosen := self._next(len(self.workers))):
            worker = asyncio.get_running_loop().create_task(self._work(chosen))
            self.workers.add(worker)
            worker.add_done_callback(self._ended)

    def _next(self, beside: int) -> tuple[Startable, Lane] | None:
        """Take the record whose turn it is, if it may start beside so many others."""
        while self._ring and not self._stopped and not self._alone:
            session = self._ring[0]
            if session.can_start:
                if session.next_runs_alone:
                    if beside:
                        return None  # the last of them to end starts it
                    self._alone = True
                self._ring.rotate(-1)
                return session, session.start_next()
            self._ring.popleft()
            self._in_ring.discard(session)
        return None

    async def _work(self, chosen: tuple[Startable, Lane] | None) -> None:
        worker = asyncio.current_task()
        while chosen is not None:
            session, lane = chosen
            await session.run(lane)
            self._note(session)
            if worker is not None and worker.cancelling():
                return  # a handler swallowed a cancellation; it is meant for the worker
            chosen = self._next(len(self.workers) - 1)

    def _ended(self, worker: asyncio.Task[None]) -> None:
        """Give the slot back; an offer since the worker's last look has found no room."""
        self.workers.discard(worker)
        if not self.workers:
            self._alone = False
        self._pump()
