"""How long to wait: the retry policy and the gate."""

import pytest

from jiraiya_events.generation.gate import RetryAfterGate
from jiraiya_events.generation.retry_policy import RetryPolicy


def test_the_ceiling_doubles_up_to_its_cap() -> None:
    """Proves the widest wait after each try."""
    policy = RetryPolicy(base_s=0.5, cap_s=30.0, chance=lambda: 1.0)
    waits = [policy.wait_s(tries) for tries in range(9)]
    assert waits == [0.5, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


@pytest.mark.parametrize("chance", [0.0, 0.25, 1.0])
def test_the_jitter_is_full(chance: float) -> None:
    """Proves that a wait is any share of its ceiling, nothing included."""
    assert RetryPolicy(chance=lambda: chance).wait_s(3) == 2.0 * chance


def test_tries_are_used_up_at_the_maximum() -> None:
    """Proves the stop."""
    policy = RetryPolicy(max_tries=3)
    assert [policy.is_used_up(tries) for tries in range(5)] == [False, False, False, True, True]


def test_the_gate_holds_one_model_as_long_as_it_was_asked_to() -> None:
    """Proves Retry-After, for that model only."""
    gate = RetryAfterGate()
    gate.limited("a", 10.0, 5.0)
    assert (gate.admit("a", 12.0), gate.admit("a", 15.0), gate.admit("b", 12.0)) == (3.0, 0.0, 0.0)


def test_the_gate_never_holds_for_ever() -> None:
    """Proves the bound on what a provider may ask for."""
    gate = RetryAfterGate(longest_s=60.0)
    gate.limited("a", 0.0, 86_400.0)
    assert gate.admit("a", 0.0) == 60.0


def test_without_a_word_the_gate_holds_longer_each_time() -> None:
    """Proves the doubling, that a burst counts once, and that an answer starts over."""
    gate = RetryAfterGate()
    holds = []
    for now in (0.0, 0.5, 10.0, 20.0):
        gate.limited("a", now, None)
        holds.append(gate.admit("a", now))
    assert holds == [1.0, 1.0, 2.0, 4.0]
    gate.accepted("a")
    gate.limited("a", 90.0, None)
    assert gate.admit("a", 90.0) == 1.0
