"""Single truths about the breaker that the property tests do not spell out."""

import pytest

from jiraiya_events.domain.codes import ErrorCode
from jiraiya_events.generation.breaker import Breaker, BreakerPolicy, Mode, Permit, State
from jiraiya_events.generation.breakers import Breakers
from jiraiya_events.generation.outages import REMEMBERED_S

DOWN = ErrorCode.PROVIDER_UNAVAILABLE
POLICY = BreakerPolicy(consecutive_failures=3, half_open_calls=2, open_s=15.0)


def permit(breaker: Breaker, now: float) -> Permit:
    """Return a permit that must be given."""
    given = breaker.allow(now)
    assert given is not None
    return given


def opened(policy: BreakerPolicy = POLICY) -> Breaker:
    """Return a breaker that failures opened."""
    breaker = Breaker("m", policy)
    for second in range(policy.consecutive_failures):
        permit(breaker, second).failed(float(second), DOWN)
    assert breaker.state is State.OPEN
    return breaker


def test_wrong_credentials_open_it_at_once_with_their_code() -> None:
    """Proves that one 401 is enough and that the reason is kept."""
    breaker = Breaker("m", POLICY)
    permit(breaker, 0.0).failed(0.0, ErrorCode.PROVIDER_AUTH, opens=True)
    assert (breaker.state, breaker.opened_code) == (State.OPEN, ErrorCode.PROVIDER_AUTH)


def test_it_becomes_half_open_by_time_alone() -> None:
    """Proves that a timer of `next_change_in_s` suffices when nobody calls."""
    breaker = opened()
    assert breaker.next_change_in_s(7.0) == 10.0
    states = []
    for now in (16.9, 17.0):
        breaker.tick(now)
        states.append(breaker.state)
    assert states == [State.OPEN, State.HALF_OPEN]
    assert breaker.next_change_in_s(17.0) is None


@pytest.mark.parametrize("back_s", [1.0, 3_600.0])
def test_a_clock_that_is_set_back_does_not_keep_it_open(back_s: float) -> None:
    """Proves that calls are tried after the time it stays open, or sooner."""
    breaker = Breaker("m", POLICY)
    permit(breaker, 10_000.0).failed(10_000.0, DOWN, opens=True)
    now = 10_000.0 - back_s
    assert breaker.next_change_in_s(now) == 0.0
    assert breaker.allow(now) is not None
    assert breaker.state is State.HALF_OPEN


def test_failures_of_a_clock_that_was_set_back_count_no_more() -> None:
    """Proves that they do not stay in the window for as long as the clock was set back."""
    policy = BreakerPolicy(minimum_calls=4, consecutive_failures=99)
    breaker = Breaker("m", policy)
    for _ in range(3):
        permit(breaker, 10_000.0).failed(10_000.0, DOWN)
    permit(breaker, 6_400.0).answered(6_400.0)
    permit(breaker, 6_500.0).failed(6_500.0, DOWN)
    assert breaker.state is State.CLOSED


def test_a_cancelled_trial_gives_its_slot_back_and_says_so() -> None:
    """Proves that whoever is parked hears of the free slot."""
    breaker = opened()
    heard: list[tuple[State, State]] = []
    breaker.on_change(lambda old, new: heard.append((old, new)))
    trial, _ = permit(breaker, 20.0), permit(breaker, 20.0)
    assert breaker.allow(20.0) is None
    trial.release(21.0)
    assert breaker.allow(21.0) is not None
    assert heard == [(State.OPEN, State.HALF_OPEN), (State.HALF_OPEN, State.HALF_OPEN)]


def test_a_late_result_of_the_closed_time_is_no_trial() -> None:
    """Proves that a call from before the outage cannot close the breaker."""
    breaker = Breaker("m", POLICY)
    early = permit(breaker, 0.0)
    for _ in range(3):
        permit(breaker, 0.0).failed(1.0, DOWN)
    breaker.tick(30.0)
    early.answered(30.0)
    assert breaker.state is State.HALF_OPEN


def test_good_trials_close_it_and_it_forgets_the_failures() -> None:
    """Proves that after the outage it takes as many failures as ever to open again."""
    breaker = opened()
    for _ in range(2):
        permit(breaker, 20.0).answered(21.0)
    assert breaker.state is State.CLOSED
    permit(breaker, 22.0).failed(22.0, DOWN)
    assert breaker.state is State.CLOSED


def test_slow_calls_open_it_when_they_are_judged() -> None:
    """Proves the slow-call rate, cut calls included."""
    policy = BreakerPolicy(minimum_calls=4, slow_call_s=5.0)
    breaker = Breaker("m", policy)
    for _ in range(2):
        permit(breaker, 0.0).answered(1.0)
    permit(breaker, 0.0).cut(5.0)
    assert breaker.state is State.CLOSED
    permit(breaker, 0.0).answered(6.0)
    assert (breaker.state, breaker.opened_code) == (State.OPEN, ErrorCode.PROVIDER_TIMEOUT)


def test_a_cut_call_means_nothing_when_slow_calls_are_not_judged() -> None:
    """Proves that our own deadlines cannot open the breaker."""
    breaker = Breaker("m", POLICY)
    for _ in range(50):
        permit(breaker, 0.0).cut(100.0)
    assert breaker.state is State.CLOSED


def test_an_operator_can_hold_it_open_and_let_it_go() -> None:
    """Proves that forced open outlasts any time, and that auto starts afresh."""
    breaker = Breaker("m", POLICY)
    breaker.set_mode(Mode.OPEN, 0.0)
    assert breaker.allow(9999.0) is None
    assert breaker.next_change_in_s(9999.0) is None
    breaker.set_mode(Mode.AUTO, 10_000.0)
    assert breaker.state is State.CLOSED
    assert breaker.outages.code_at(5000.0) is DOWN


def test_an_operator_can_hold_it_closed() -> None:
    """Proves that nothing opens it then, not even wrong credentials."""
    breaker = opened()
    breaker.set_mode(Mode.CLOSED, 5.0)
    for _ in range(50):
        permit(breaker, 6.0).failed(6.0, ErrorCode.PROVIDER_AUTH, opens=True)
    assert breaker.state is State.CLOSED


def test_the_reason_may_change_while_it_is_open() -> None:
    """Proves that an outage remembers which reason held at which instant."""
    breaker = opened()
    permit(breaker, 20.0).failed(20.0, ErrorCode.PROVIDER_QUOTA, opens=True)
    codes = [breaker.outages.code_at(at) for at in (1.9, 2.0, 19.9, 20.0, 99.0)]
    assert codes == [None, DOWN, DOWN, ErrorCode.PROVIDER_QUOTA, ErrorCode.PROVIDER_QUOTA]


def test_an_outage_covers_the_failures_that_led_to_it_and_the_calls_in_flight() -> None:
    """Proves which failed calls give their try back."""
    outages = opened().outages
    assert outages.cover(0.0, 0.0)
    assert outages.cover(1.0, 40.0)
    assert not outages.cover(-2.0, -1.0)


def test_an_old_outage_is_forgotten_only_after_the_longest_deadline() -> None:
    """Proves that a record read late still gets the right code."""
    breaker = Breaker("m", POLICY)
    breaker.set_mode(Mode.OPEN, 0.0)
    breaker.set_mode(Mode.AUTO, 10.0)
    breaker.set_mode(Mode.OPEN, REMEMBERED_S + 10.0)
    assert breaker.outages.code_at(5.0) is DOWN
    breaker.set_mode(Mode.AUTO, REMEMBERED_S + 10.0)
    breaker.set_mode(Mode.OPEN, REMEMBERED_S + 11.0)
    assert breaker.outages.code_at(5.0) is None


def test_a_change_is_told_once() -> None:
    """Proves that holding open what is open already is no news."""
    breaker = opened()
    heard: list[State] = []
    breaker.on_change(lambda _, new: heard.append(new))
    breaker.set_mode(Mode.OPEN, 3.0)
    assert heard == []


def test_a_failure_leaves_the_window_when_it_is_as_old_as_the_window() -> None:
    """Proves the edge of the window: a result counts for less than `window_s` seconds."""
    states = []
    for later in (59.0, 60.0):
        breaker = Breaker("m", BreakerPolicy(minimum_calls=2, window_s=60.0))
        for now in (0.0, later):
            permit(breaker, now).failed(now, DOWN)
        states.append(breaker.state)
    assert states == [State.OPEN, State.CLOSED]


def test_an_outage_ends_at_the_instant_the_breaker_closes() -> None:
    """Proves its open end, for deadlines and for calls that start right then."""
    breaker = opened()
    breaker.set_mode(Mode.AUTO, 10.0)
    assert breaker.outages.code_at(10.0) is None
    assert not breaker.outages.cover(10.0, 11.0)


def test_every_model_has_a_breaker_of_its_own() -> None:
    """Proves that watchers hear of all of them, and that the earliest change is told."""
    breakers = Breakers(POLICY, ("a",))
    heard: list[tuple[str, State]] = []
    breakers.watch(lambda breaker, _, new: heard.append((breaker.name, new)))
    for name, now in (("a", 3.0), ("b", 1.0)):
        permit(breakers.of(name), now).failed(now, DOWN, opens=True)
    assert breakers.next_change_in_s(3.0) == 13.0
    breakers.tick(16.0)
    assert heard == [("a", State.OPEN), ("b", State.OPEN), ("b", State.HALF_OPEN)]
    assert [breaker.state for breaker in breakers] == [State.OPEN, State.HALF_OPEN]
