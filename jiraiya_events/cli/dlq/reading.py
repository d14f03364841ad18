"""How far a long look has come, for people."""

import time
from collections.abc import Callable
from typing import Final, TextIO

PATIENCE_S: Final = 1.0
"""A look that takes no longer says nothing."""


class Reading:
    """One line on a terminal that is written over, and gone at the end; elsewhere nothing."""

    def __init__(self, stream: TextIO, now: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._now = now
        self._begins_at = now() + PATIENCE_S
        self._shown = False

    def __call__(self, behind: int, total: int) -> None:
        """Say that so many offsets of so many are read."""
        if self._now() < self._begins_at or not self._stream.isatty():
            return
        self._stream.write(f"\rreading {behind:,} of {total:,} …\x1b[K")
        self._stream.flush()
        self._shown = True

    def erase(self) -> None:
        """Make room for something else."""
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._shown = False
