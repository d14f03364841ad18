"""The slots of one model: calls under way, slots promised to whom was woken, and the hold.

A promise is anonymous: whoever was woken and comes takes the oldest. It lapses after a second,
since who was woken may have been withdrawn meanwhile. Times are seconds since the Unix epoch; a
clock that is set back makes neither a promise nor a hold last longer than it could at most.
"""

import math
from collections import deque
from typing import Final

PROMISE_S: Final = 1.0
LONGEST_HOLD_S: Final = 600.0
"""The longest deadline: whoever is asked to wait longer ends before that, or asks another."""


class Slots:
    """Counts; how many slots there are is said by whoever asks."""

    def __init__(self) -> None:
        self.in_flight = 0
        self._peak = _Peak()
        self.held_until = -math.inf
        self._promises: deque[float] = deque()

    @property
    def promised(self) -> int:
        """How many slots wait for somebody who was woken."""
        return len(self._promises)

    @property
    def lapses_at(self) -> float:
        """When the oldest promise lapses; infinite without one."""
        return self._promises[0] if self._promises else math.inf

    @property
    def occupied(self) -> int:
        """How many slots nobody else can have."""
        return self.in_flight + len(self._promises)

    def take(self, now: float) -> None:
        """Count a call that starts."""
        self.in_flight += 1
        self._peak.note(now, self.in_flight)

    def most_just_now(self, now: float) -> int:
        """Return the most calls that were under way at once in the last second or two."""
        return max(self.in_flight, self._peak.of(now))

    def promise(self, count: int, now: float) -> None:
        """Keep `count` slots for whom was woken."""
        self._promises.extend([now + PROMISE_S] * count)

    def redeem(self) -> None:
        """End the oldest promise, if there is one: somebody who was woken has come."""
        if self._promises:
            self._promises.popleft()

    def lapse(self, now: float) -> None:
        """End the promises nobody came for."""
        while self._promises and not now < self._promises[0] <= now + PROMISE_S:
            self._promises.popleft()

    def hold(self, now: float, seconds: float) -> None:
        """Let no call start for so long; who was promised a slot will be woken again."""
        self.held_until = max(self.held_until, now + min(seconds, LONGEST_HOLD_S))
        self._promises.clear()

    def hold_left_s(self, now: float) -> float:
        """Return for how many seconds no call may start."""
        if now >= self.held_until:
            self.held_until = -math.inf
            return 0.0
        self.held_until = min(self.held_until, now + LONGEST_HOLD_S)
        return self.held_until - now


class _Peak:
    """The highest number noted in this second and the one before it."""

    def __init__(self) -> None:
        self._second = 0
        self._now = 0
        self._before = 0

    def note(self, now: float, number: int) -> None:
        self.of(now)
        self._now = max(self._now, number)

    def of(self, now: float) -> int:
        second = int(now)
        if second != self._second:
            self._before = self._now if second == self._second + 1 else 0
            self._now = 0
            self._second = second
        return max(self._now, self._before)
