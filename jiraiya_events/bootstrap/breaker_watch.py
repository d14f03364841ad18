"""Wakes parked records when a breaker lets calls through again.

A breaker has no task of its own: this sets the timer for its change to half-open, and tells
the engine how many records may try. One that was woken may not try after all, because it was
withdrawn or has its outcome already: while trials are free, others are woken every `AGAIN_S`.
"""

import asyncio
from collections.abc import Callable

import structlog

from jiraiya_events.domain.clock import Clock
from jiraiya_events.generation.breaker import Breaker, State
from jiraiya_events.generation.breakers import Breakers
from jiraiya_events.generation.ports import CallObserver

log = structlog.get_logger(__name__)

Unpark = Callable[[str, int | None], None]

AGAIN_S = 1.0


class BreakerWatch:
    """Listens to every breaker from construction on; `stop` cancels the timer."""

    def __init__(
        self, breakers: Breakers, clock: Clock, observer: CallObserver, unpark: Unpark
    ) -> None:
        self._breakers = breakers
        self._clock = clock
        self._observer = observer
        self._unpark = unpark
        self._timer: asyncio.TimerHandle | None = None
        breakers.watch(self._changed)
        for breaker in breakers:
            observer.breaker_changed(breaker.name, breaker.state)

    def stop(self) -> None:
        """Forget the timer."""
        if self._timer is not None:
            self._timer.cancel()

    def _changed(self, breaker: Breaker, old: State, new: State) -> None:
        self._observer.breaker_changed(breaker.name, new)
        if new is not old:
            _say(breaker, new)
        if new is State.CLOSED:
            self._unpark(breaker.name, None)
        elif new is State.HALF_OPEN:
            # A trial slot that came back wakes one; a new half-open phase all its trials.
            self._unpark(breaker.name, 1 if old is State.HALF_OPEN else breaker.free_trials)
        self._set_timer()

    def _set_timer(self) -> None:
        self.stop()
        due = self._breakers.next_change_at()
        delays = [] if due is None else [max(0.0, due - self._clock.now())]
        if any(breaker.free_trials for breaker in self._breakers):
            delays.append(AGAIN_S)
        if delays:
            self._timer = asyncio.get_running_loop().call_later(min(delays), self._tick)

    def _tick(self) -> None:
        unused = [breaker for breaker in self._breakers if breaker.free_trials]
        self._breakers.tick(self._clock.now())
        for breaker in unused:
            self._unpark(breaker.name, breaker.free_trials)
        self._set_timer()


def _say(breaker: Breaker, state: State) -> None:
    if state is State.OPEN:
        log.error(
            "the circuit breaker opened: requests wait until the model answers again",
            model=breaker.name,
            code=breaker.opened_code,
            trial_in_s=breaker.policy.open_s,
        )
    else:
        log.warning("the circuit breaker changed", model=breaker.name, state=state.name.lower())
