"""Slots: which record runs next, fairly across partitions and keys.

Sessions with something to start stand in a ring and take turns, one record each; inside a
session the lanes do the same. Everything runs on one event loop and no method awaits, so a
slot cannot be given away twice.
"""

from collections import deque
from typing import Protocol


class Startable(Protocol):
    """A session, as the dispatcher sees it."""

    @property
    def can_start(self) -> bool:
        """Tell whether a record may and wants to be started."""
        ...

    def start_next(self) -> None:
        """Start one record; it takes one slot until `Dispatcher.give_back`."""
        ...


class Dispatcher:
    """Hands out `slots` slots in turn."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._ring: deque[Startable] = deque()
        self._in_ring: set[int] = set()
        self._stopped = False
        self.in_flight = 0

    def offer(self, session: Startable) -> None:
        """Note that a session may have something to start, and start what there is room for."""
        if id(session) not in self._in_ring and session.can_start:
            self._ring.append(session)
            self._in_ring.add(id(session))
        self._pump()

    def give_back(self) -> None:
        """Return one slot."""
        self.in_flight -= 1
        self._pump()

    def stop(self) -> None:
        """Start nothing any more."""
        self._stopped = True

    def _pump(self) -> None:
        while self._ring and self.in_flight < self._slots and not self._stopped:
            session = self._ring.popleft()
            if not session.can_start:
                self._in_ring.discard(id(session))
                continue
            self.in_flight += 1
            session.start_next()
            self._ring.append(session)
