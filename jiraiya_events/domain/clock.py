"""Time as an argument: wall-clock time that a test can stand still or push on."""

import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time; waiting is the event loop's, which tests make virtual as well."""

    def now(self) -> float:
        """Return seconds since the Unix epoch (UTC)."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        """Return seconds since the Unix epoch (UTC)."""
        return time.time()
