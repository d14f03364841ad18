"""Wakes parked records when a breaker lets calls through again.

A record is parked beside the chain of models that may write its story, so a breaker wakes at every
chain its model stands in. When it opens, it also wakes who waits for a slot of its model: without
calls under way no slot would be freed, and another model may help them.

A breaker has no task of its own: this sets the timer for its change to half-open, and tells
the engine how many records may try. One that was woken may not try after all, because it was
withdrawn or has its outcome already, and a trial may be given back unused, which nobody hears of:
until the trials have decided, as many as are free are woken every `AGAIN_S`.
"""

import asyncio
from collections.abc import Callable, Hashable, Iterable

import structlog

from jiraiya_events.domain.clock import Clock
from jiraiya_events.generation.breaker import Breaker, State
from jiraiya_events.generation.breakers import Breakers
from jiraiya_events.generation.ports import CallObserver

log = structlog.get_logger(__name__)

Unpark = Callable[[Hashable, int | None], object]

AGAIN_S = 1.0


class BreakerWatch:
    """Listens to every breaker from construction on; `stop` cancels the timer.

    `places` are where records wait for a breaker, `queue` where they wait for a slot of its model.
    """

    def __init__(
        self,
        breakers: Breakers,
        clock: Clock,
        observer: CallObserver,
        unpark: Unpark,
        *,
        places: Callable[[str], Iterable[Hashable]],
        queue: Callable[[str], Hashable],
    ) -> None:
        self._breakers = breakers
        self._clock = clock
        self._observer = observer
        self._unpark = unpark
        self._places = places
        self._queue = queue
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
            self._wake(breaker, None)
        elif new is State.OPEN:
            self._unpark(self._queue(breaker.name), None)
        elif new is State.HALF_OPEN:
            # A trial slot that came back wakes one; a new half-open phase all its trials.
            self._wake(breaker, 1 if old is State.HALF_OPEN else breaker.free_trials)
        self._set_timer()

    def _set_timer(self) -> None:
        self.stop()
        due_s = self._breakers.next_change_in_s(self._clock.now())
        delays = [] if due_s is None else [due_s]
        if any(breaker.state is State.HALF_OPEN for breaker in self._breakers):
            delays.append(AGAIN_S)
        if delays:
            self._timer = asyncio.get_running_loop().call_later(min(delays), self._tick)

    def _tick(self) -> None:
        unused = [breaker for breaker in self._breakers if breaker.free_trials]
        self._breakers.tick(self._clock.now())
        for breaker in unused:
            self._wake(breaker, breaker.free_trials)
        self._set_timer()

    def _wake(self, breaker: Breaker, count: int | None) -> None:
        for place in self._places(breaker.name):
            self._unpark(place, count)


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
