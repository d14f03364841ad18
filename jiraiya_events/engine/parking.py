"""The parking lot: lanes that wait for something other than time, first come first served.

A breaker that is open parks the heads of lanes here, each breaker at a place of its own, so that
one does not wake the others'. `unpark` wakes as many as there are trial calls to make; every parked
lane also wakes by itself at its own latest time, so that deadlines go on expiring while nothing
else moves.

A turn decides to park before it gets here: it has a store to speak to on its way, and a wake that
comes meanwhile would be lost. So whoever parks says how many wakes there had been when its turn
began. If its place has seen one since then that found fewer than it was for, it is woken at once:
one more turn at most for each such wake, as that turn begins after it.
"""

import asyncio
import math
from collections import defaultdict
from collections.abc import Callable, Hashable
from itertools import islice


class Parking:
    """Callbacks by place, in order of arrival, each called once: by `unpark` or in time."""

    def __init__(self) -> None:
        self._waiting: dict[object, tuple[asyncio.TimerHandle, Callable[[], None], Hashable]] = {}
        self._places: defaultdict[Hashable, dict[object, None]] = defaultdict(dict)
        self._missed: dict[Hashable, int] = {}
        self.wakes = 0
        """How many wakes there have been, at all places together."""

    def __len__(self) -> int:
        """Return how many are parked."""
        return len(self._waiting)

    def park(
        self, token: object, at: Hashable, until_s: float, wake: Callable[[], None], *, since: int
    ) -> None:
        """Call `wake` at `unpark` of this place, in `until_s` seconds at the latest.

        At once, when a wake that came after the first `since` would have reached it.
        """
        if self._missed.get(at, 0) > since:
            wake()
            return
        loop = asyncio.get_running_loop()
        timer = loop.call_later(until_s, self._wake, token)
        self._waiting[token] = (timer, wake, at)
        self._places[at][token] = None

    def leave(self, token: object) -> Callable[[], None] | None:
        """Take `token` away; return what would have woken it, None when it is not parked."""
        entry = self._waiting.pop(token, None)
        if entry is None:
            return None
        timer, wake, at = entry
        timer.cancel()
        del self._places[at][token]
        if not self._places[at]:
            del self._places[at]
        return wake

    def unpark(self, at: Hashable, count: int | None = None, within_s: float = math.inf) -> int:
        """Wake the first `count` parked at a place, or all; return how many that were.

        Only those whose latest time comes `within_s` seconds.
        """
        self.wakes += 1
        latest = asyncio.get_running_loop().time() + within_s
        concerned = (t for t in self._places.get(at, ()) if self._waiting[t][0].when() <= latest)
        woken = list(islice(concerned, count))
        for token in woken:
            self._wake(token)
        if count is None or len(woken) < count:
            self._missed[at] = self.wakes
        return len(woken)

    def _wake(self, token: object) -> None:
        if wake := self.leave(token):
            wake()
