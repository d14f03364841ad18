"""The parking lot: lanes that wait for something other than time, first come first served.

A breaker that is open parks the heads of lanes here. `unpark` wakes as many as there are trial
calls to make; every parked lane also wakes by itself at its own latest time, so that deadlines
go on expiring while nothing else moves.
"""

import asyncio
from collections.abc import Callable


class Parking:
    """Callbacks in order of arrival, each called once: by `unpark` or when its time is up."""

    def __init__(self) -> None:
        self._waiting: dict[object, tuple[asyncio.TimerHandle, Callable[[], None]]] = {}

    def __len__(self) -> int:
        """Return how many are parked."""
        return len(self._waiting)

    def park(self, token: object, until_s: float, wake: Callable[[], None]) -> None:
        """Call `wake` at `unpark`, in `until_s` seconds at the latest."""
        loop = asyncio.get_running_loop()
        timer = loop.call_later(until_s, self._wake, token)
        self._waiting[token] = (timer, wake)

    def leave(self, token: object) -> None:
        """Take `token` away unwoken; harmless when it is not parked."""
        if entry := self._waiting.pop(token, None):
            entry[0].cancel()

    def unpark(self, count: int | None = None) -> None:
        """Wake the first `count` parked, or all."""
        for token in list(self._waiting)[:count]:
            self._wake(token)

    def _wake(self, token: object) -> None:
        if entry := self._waiting.pop(token, None):
            timer, wake = entry
            timer.cancel()
            wake()
