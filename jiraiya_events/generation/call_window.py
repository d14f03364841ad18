"""The results of the last seconds, and the failures in a row up to now."""

from collections import deque
from enum import Enum, auto


class Result(Enum):
    """How a call that the breaker judges ended; a cut one brought neither answer nor error."""

    ANSWERED = auto()
    FAILED = auto()
    CUT = auto()


class CallWindow:
    """A sliding time window over call results; those of a clock that was set back are no more."""

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._calls: deque[tuple[float, bool, bool]] = deque()
        self.failed = 0
        self.slow = 0
        self.failures_in_a_row = 0
        self._row_began_at = 0.0

    @property
    def total(self) -> int:
        """Calls in the window."""
        return len(self._calls)

    def add(self, now: float, result: Result, *, slow: bool) -> None:
        """Take in one result; only an answer ends a row of failures."""
        self._forget(now)
        failed = result is Result.FAILED
        self._calls.append((now, failed, slow))
        self.failed += failed
        self.slow += slow
        if result is Result.ANSWERED:
            self.failures_in_a_row = 0
        elif failed:
            self._row_began_at = now if self.failures_in_a_row == 0 else self._row_began_at
            self.failures_in_a_row += 1

    def failing_since(self, now: float) -> float:
        """Return the instant of the oldest failure that speaks against the provider."""
        in_window = (at for at, failed, slow in self._calls if failed or slow)
        oldest = next(in_window, now)
        return min(oldest, self._row_began_at) if self.failures_in_a_row else oldest

    def _forget(self, now: float) -> None:
        calls = self._calls
        while calls and not now - self._window_s < calls[0][0] <= now:
            _, failed, slow = calls.popleft()
            self.failed -= failed
            self.slow -= slow
