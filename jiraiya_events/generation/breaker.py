"""The circuit breaker: which calls a model may get, told by how the last ones ended.

A plain object with the states of resilience4j's breaker and a time-based window; it has no
task and no clock. Whoever owns it calls `tick` after `next_change_in_s`, since half-open must
come even when nobody asks; a clock that is set back makes it come sooner. An open breaker stops
calls, never the reading of requests.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from jiraiya_events.domain.codes import ErrorCode
from jiraiya_events.generation.call_window import CallWindow, Result
from jiraiya_events.generation.outages import Outages
from jiraiya_events.generation.trials import Trials


class State(IntEnum):
    """The value of `jiraiya_circuit_breaker_state`."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


class Mode(StrEnum):
    """What an operator may order: judge by results, or hold one state."""

    AUTO = "auto"
    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When to open and how to find the way back; rates are from 0 to 1, times in seconds."""

    failure_rate: float = 0.5
    minimum_calls: int = 20
    consecutive_failures: int = 10
    window_s: float = 60.0
    open_s: float = 15.0
    half_open_calls: int = 3
    slow_call_s: float | None = None


Listener = Callable[[State, State], None]


class Breaker:
    """Gives a `Permit` for a call, or None while the model must be left alone."""

    def __init__(self, name: str, policy: BreakerPolicy) -> None:
        self.name = name
        self.policy = policy
        self.outages = Outages()
        self._state = State.CLOSED
        self._mode = Mode.AUTO
        self._window = CallWindow(policy.window_s)
        self._listeners: list[Listener] = []
        # Results of calls admitted before the latest change say nothing about it.
        self._epoch = 0
        self._opened_at = 0.0
        self._opened_code = ErrorCode.PROVIDER_UNAVAILABLE
        self._trials = Trials(policy.half_open_calls, policy.failure_rate)

    @property
    def state(self) -> State:
        """The state as of the latest call of any method that takes the time."""
        return self._state

    @property
    def mode(self) -> Mode:
        """What an operator ordered."""
        return self._mode

    @property
    def opened_code(self) -> ErrorCode | None:
        """Why calls are held back, None while the breaker is closed."""
        return None if self._state is State.CLOSED else self._opened_code

    @property
    def free_trials(self) -> int:
        """How many trial calls could start now."""
        return self._trials.free if self._state is State.HALF_OPEN else 0

    def next_change_in_s(self, now: float) -> float | None:
        """Return in how long `tick` has something to do; None while only results change it."""
        if self._state is not State.OPEN or self._mode is not Mode.AUTO:
            return None
        if now < self._opened_at:
            return 0.0
        return max(0.0, self._opened_at + self.policy.open_s - now)

    def on_change(self, listener: Listener) -> None:
        """Call `listener(old, new)` at each change.

        Also with half-open twice when a trial slot comes back, so that whoever is parked
        never waits beside a free slot.
        """
        self._listeners.append(listener)

    def tick(self, now: float) -> None:
        """Become half-open when it is time."""
        if self.next_change_in_s(now) == 0.0:
            self._trials = Trials(self.policy.half_open_calls, self.policy.failure_rate)
            self._move(State.HALF_OPEN)

    def allow(self, now: float) -> "Permit | None":
        """Return the permit for one call; it must be settled exactly once."""
        self.tick(now)
        if self._state is State.OPEN:
            return None
        if self._state is State.HALF_OPEN and not self._trials.admit():
            return None
        return Permit(self, self._epoch, now)

    def set_mode(self, mode: Mode, now: float) -> None:
        """Hold one state until told otherwise; `auto` starts closed and without memories."""
        self._mode = mode
        if mode is Mode.OPEN:
            self._open(now, ErrorCode.PROVIDER_UNAVAILABLE)
        else:
            self._close(now)

    def settle(self, epoch: int, now: float, seen: "Seen | None") -> None:
        """Take in what became of a permit; None gives it back unjudged."""
        if epoch != self._epoch:
            return
        if self._state is State.HALF_OPEN:
            self._settle_trial(now, seen)
        elif seen is not None:
            self._settle_call(now, seen)

    def take_back(self, epoch: int) -> None:
        """Free the slot of a trial that never became a call; nobody hears of it.

        Whoever had it was woken to no purpose, and so would be the next: while something else
        stands against the calls they would wake each other without end.
        """
        if epoch == self._epoch and self._state is State.HALF_OPEN:
            self._trials.give_back()

    def _settle_call(self, now: float, seen: "Seen") -> None:
        self._window.add(now, seen.result, slow=seen.slow)
        if self._mode is Mode.AUTO and (seen.opens or self._is_failing()):
            self._open(now, seen.code)

    def _settle_trial(self, now: float, seen: "Seen | None") -> None:
        if seen is None:
            self._trials.give_back()
            self._tell(State.HALF_OPEN)
            return
        self._trials.record(good=seen.result is Result.ANSWERED and not seen.slow)
        if seen.opens or self._trials.failed():
            self._open(now, seen.code)
        elif self._trials.passed():
            self._close(now)

    def _is_failing(self) -> bool:
        window, policy = self._window, self.policy
        if window.failures_in_a_row >= policy.consecutive_failures:
            return True
        worst = max(window.failed, window.slow)
        return window.total >= policy.minimum_calls and worst >= policy.failure_rate * window.total

    def _open(self, now: float, code: ErrorCode) -> None:
        self._opened_at = now
        self._opened_code = code
        self.outages.begin(now, code, self._window.failing_since(now))
        self._move(State.OPEN)

    def _close(self, now: float) -> None:
        self._window = CallWindow(self.policy.window_s)
        self.outages.end(now)
        self._move(State.CLOSED)

    def _move(self, state: State) -> None:
        old, self._state = self._state, state
        self._epoch += 1
        if old is not state:
            self._tell(old)

    def _tell(self, old: State) -> None:
        for listener in self._listeners:
            listener(old, self._state)


@dataclass(frozen=True, slots=True)
class Seen:
    """One judged call."""

    result: Result
    code: ErrorCode
    slow: bool = False
    opens: bool = False


class Permit:
    """The right to make one call; the first of its methods settles it, later ones do nothing."""

    __slots__ = ("_breaker", "_epoch", "_settled", "started_at")

    def __init__(self, breaker: Breaker, epoch: int, started_at: float) -> None:
        self._breaker = breaker
        self._epoch = epoch
        self._settled = False
        self.started_at = started_at

    def answered(self, now: float) -> None:
        """Report that the provider answered, usable or not."""
        slow = self._is_slow(now)
        self._settle(now, Seen(Result.ANSWERED, ErrorCode.PROVIDER_TIMEOUT, slow=slow))

    def failed(self, now: float, code: ErrorCode, *, opens: bool = False) -> None:
        """Report a failed call; `opens` for failures that only an operator can mend."""
        self._settle(now, Seen(Result.FAILED, code, slow=self._is_slow(now), opens=opens))

    def cut(self, now: float) -> None:
        """Report a call we cut: slow when slow calls are judged, else nothing was learned."""
        if self._is_slow(now):
            self._settle(now, Seen(Result.CUT, ErrorCode.PROVIDER_TIMEOUT, slow=True))
        else:
            self.release(now)

    def release(self, now: float) -> None:
        """Report that nothing was learned; a trial's slot goes to the next caller."""
        self._settle(now, None)

    def hand_back(self) -> None:
        """Give the permit back unused: there was no call."""
        if not self._settled:
            self._settled = True
            self._breaker.take_back(self._epoch)

    def _is_slow(self, now: float) -> bool:
        limit = self._breaker.policy.slow_call_s
        return limit is not None and now - self.started_at >= limit

    def _settle(self, now: float, seen: Seen | None) -> None:
        if not self._settled:
            self._settled = True
            self._breaker.settle(self._epoch, now, seen)
