"""A store that hangs, asked now and then only: else each command would wait for its time-out.

Callers wait while they hold a slot for a story, and a story has several commands. All changes are
made between two awaits of one event loop, so of those who come at once exactly one is let
through.
"""

from typing import Final

QUIET_S: Final = 2.0
"""How long nobody is let through after a time-out, or after the last who was."""


class Silence:
    """Begins with a time-out and ends with any answer; times are seconds of one monotonic clock.

    Only a time-out during which nobody was answered begins it. So neither commands that waited
    long for their turn nor one slow command shuts out others, and nor does one that was sent
    into the silence and times out after a later one was answered. Who was under way when it
    began waits for a time-out of its own.
    """

    def __init__(self) -> None:
        self._ask_at: float | None = None
        self._answered_at = float("-inf")

    def admits(self, now: float) -> bool:
        """Tell whether a command may be sent; in the silence one in `QUIET_S` may.

        It is not waited for: were it cancelled, the next would be let through all the same.
        """
        if self._ask_at is None:
            return True
        if now < self._ask_at:
            return False
        self._ask_at = now + QUIET_S
        return True

    def answered(self, now: float) -> None:
        """Note an answer; an error is one too, and so is a refused connection: both are quick."""
        self._ask_at = None
        self._answered_at = now

    def timed_out(self, began: float, now: float) -> None:
        """Note that a command which was begun at `began` had no answer in time."""
        if self._answered_at < began:
            self._ask_at = now + QUIET_S
