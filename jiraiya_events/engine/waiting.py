"""Held lanes of one partition: each waits for a time, or is parked until somebody says so."""

import asyncio
from collections.abc import Callable

from jiraiya_events.engine.lanes import Lane
from jiraiya_events.engine.parking import Parking
from jiraiya_events.engine.verdicts import Park, Retry


class Waiting:
    """Calls `release` with each held lane once, unless the lane leaves before."""

    def __init__(self, parking: Parking, release: Callable[[Lane], None]) -> None:
        self._parking = parking
        self._release = release
        self._timers: dict[Lane, asyncio.TimerHandle] = {}
        self._parked: set[Lane] = set()

    def hold(self, lane: Lane, verdict: Retry | Park) -> None:
        """Let a lane wait as its head's verdict says."""
        if isinstance(verdict, Park):
            self._parked.add(lane)
            self._parking.park(
                lane,
                verdict.at,
                verdict.until_s,
                lambda: self._woken(lane),
                since=lane.wakes_before,
            )
        else:
            loop = asyncio.get_running_loop()
            self._timers[lane] = loop.call_later(verdict.after_s, self._over, lane)

    def leave(self, lane: Lane) -> None:
        """Take a lane away unreleased; harmless when it does not wait."""
        if timer := self._timers.pop(lane, None):
            timer.cancel()
        self._parked.discard(lane)
        self._parking.leave(lane)

    def give_up_parking(self) -> None:
        """Release what is parked: where nothing may start, it would use up others' calls."""
        for lane in list(self._parked):
            self.leave(lane)
            self._release(lane)

    def _woken(self, lane: Lane) -> None:
        self._parked.discard(lane)
        self._release(lane)

    def _over(self, lane: Lane) -> None:
        del self._timers[lane]
        self._release(lane)
