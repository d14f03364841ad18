"""Wakes parked requests when the gate has slots for them or holds, and gives the gate its time.

The gate is a plain object: it says who may be woken, and when something will change by time
alone (a provider's wait ends, a promise lapses). One timer is enough, for the soonest; the gate
says the others again at its tick.
"""

import asyncio
import math
from collections.abc import Callable, Hashable

from jiraiya_events.domain.clock import Clock
from jiraiya_events.generation.gate import AdaptiveGate

Unpark = Callable[[Hashable, int | None, float], int]


class GateWatch:
    """Serves a gate from construction on; `stop` cancels the timer.

    `place(model)` is where requests wait for a slot of a model; `unpark(place, count,
    within_s)` wakes at most so many there, of those whose time is up by then, and returns how many.
    """

    def __init__(
        self,
        gate: AdaptiveGate,
        clock: Clock,
        unpark: Unpark,
        *,
        place: Callable[[str], Hashable],
    ) -> None:
        self._gate = gate
        self._clock = clock
        self._timer: asyncio.TimerHandle | None = None
        self._due_at = 0.0
        gate.freed = lambda model, count: unpark(place(model), count, math.inf)
        gate.held = lambda model, seconds: unpark(place(model), None, seconds)
        gate.due = self._due

    def stop(self) -> None:
        """Forget the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _due(self, at: float) -> None:
        if self._timer is not None and self._due_at <= at:
            return
        self.stop()
        self._due_at = at
        delay_s = max(0.0, at - self._clock.now())
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._gate.tick(self._clock.now())
