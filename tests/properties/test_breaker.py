"""The breaker against a model that keeps everything and recomputes it from the start."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from jiraiya_events.domain.codes import ErrorCode
from jiraiya_events.generation.breaker import Breaker, BreakerPolicy, Permit, State

DOWN = ErrorCode.PROVIDER_UNAVAILABLE

policies = st.builds(
    BreakerPolicy,
    failure_rate=st.sampled_from([0.25, 0.5, 1.0]),
    minimum_calls=st.integers(1, 8),
    consecutive_failures=st.integers(2, 6),
    window_s=st.sampled_from([5.0, 20.0]),
    open_s=st.sampled_from([3.0, 10.0]),
    half_open_calls=st.integers(1, 4),
)
# Whole seconds: the model and the breaker must not differ by rounding.
moves = st.lists(
    st.tuples(
        st.sampled_from(["call", "answered", "failed", "auth", "released", "tick"]),
        st.integers(0, 4),
        st.integers(0, 20),
    ),
    max_size=60,
)


@dataclass
class NaiveBreaker:
    """The rules as sentences, without a thought for speed."""

    policy: BreakerPolicy
    state: State = State.CLOSED
    phase: int = 0
    opened_at: float = 0.0
    results: list[tuple[float, bool]] = field(default_factory=list)
    row: int = 0
    out: int = 0
    good: int = 0
    bad: int = 0

    def enter(self, state: State, now: float) -> None:
        """Change the state."""
        self.state = state
        self.phase += 1
        self.out = self.good = self.bad = 0
        if state is State.OPEN:
            self.opened_at = now
        if state is State.CLOSED:
            self.results, self.row = [], 0

    def tick(self, now: float) -> None:
        """Let time do its part."""
        if self.state is State.OPEN and now >= self.opened_at + self.policy.open_s:
            self.enter(State.HALF_OPEN, now)

    def allow(self, now: float) -> bool:
        """Tell whether a call may be made."""
        self.tick(now)
        if self.state is State.CLOSED:
            return True
        used = self.out + self.good + self.bad
        if self.state is State.OPEN or used == self.policy.half_open_calls:
            return False
        self.out += 1
        return True

    def settle(self, phase: int, now: float, what: str) -> None:
        """Take in a result."""
        if phase != self.phase:
            return
        if self.state is State.HALF_OPEN:
            self.settle_trial(now, what)
        elif what != "released":
            self.results.append((now, what != "answered"))
            self.row = 0 if what == "answered" else self.row + 1
            if what == "auth" or self.is_failing(now):
                self.enter(State.OPEN, now)

    def is_failing(self, now: float) -> bool:
        """Judge the window and the row."""
        window = [bad for at, bad in self.results if at > now - self.policy.window_s]
        enough = len(window) >= self.policy.minimum_calls
        rate = sum(window) / len(window)
        return self.row >= self.policy.consecutive_failures or (
            enough and rate >= self.policy.failure_rate
        )

    def settle_trial(self, now: float, what: str) -> None:
        """Judge a trial."""
        self.out -= 1
        self.good += what == "answered"
        self.bad += what in {"failed", "auth"}
        trials = self.policy.half_open_calls
        if what == "auth" or (self.bad and self.bad / trials >= self.policy.failure_rate):
            self.enter(State.OPEN, now)
        elif self.good == trials or (trials - self.good) / trials < self.policy.failure_rate:
            self.enter(State.CLOSED, now)


def settle(permit: Permit, now: float, what: str) -> None:
    """Settle a permit as the step says."""
    if what == "answered":
        permit.answered(now)
    elif what == "released":
        permit.release(now)
    else:
        permit.failed(now, DOWN, opens=what == "auth")


@given(policies, moves)
def test_the_breaker_does_what_its_rules_say(
    policy: BreakerPolicy, steps: list[tuple[str, int, int]]
) -> None:
    """Proves state, admission and trial slots for any order of calls and results."""
    breaker, naive = Breaker("m", policy), NaiveBreaker(policy)
    out: list[tuple[Permit, int]] = []
    now = 0.0
    for what, wait, which in steps:
        now += wait
        if what == "call":
            permit = breaker.allow(now)
            assert (permit is not None) == naive.allow(now)
            if permit is not None:
                out.append((permit, naive.phase))
        elif what == "tick":
            breaker.tick(now)
            naive.tick(now)
        elif out:
            permit, phase = out.pop(which % len(out))
            settle(permit, now, what)
            settle(permit, now, "failed")  # settling twice changes nothing
            naive.settle(phase, now, what)
        assert breaker.state is naive.state


@given(policies, moves)
def test_requests_are_held_exactly_from_opening_to_closing(
    policy: BreakerPolicy, steps: list[tuple[str, int, int]]
) -> None:
    """Proves that the history of outages answers for any past instant."""
    breaker = Breaker("m", policy)
    out: list[Permit] = []
    now = 0.0
    held: dict[float, bool] = {}
    for what, wait, which in steps:
        now += wait + 1
        held[now - 0.5] = breaker.state is not State.CLOSED
        if what == "call":
            permit = breaker.allow(now)
            out += [permit] if permit else []
        elif what == "tick":
            breaker.tick(now)
        elif out:
            settle(out.pop(which % len(out)), now, what)
    assert {at: breaker.outages.code_at(at) is not None for at in held} == held


@given(st.integers(1, 10), st.integers(0, 40))
def test_fifty_callers_racing_at_half_open_admit_exactly_the_trials(trials: int, late: int) -> None:
    """Proves that no more calls than configured reach a provider that may still be down."""
    breaker = Breaker("m", BreakerPolicy(half_open_calls=trials, consecutive_failures=1))
    first = breaker.allow(0.0)
    assert first is not None
    first.failed(0.0, DOWN)
    permits = [breaker.allow(15.0 + late) for _ in range(50)]
    assert sum(permit is not None for permit in permits) == trials
