"""How long to wait: the retry policy."""

import pytest

from jiraiya_events.generation.retry_policy import RetryPolicy


def test_the_ceiling_doubles_up_to_its_cap() -> None:
    """Proves the widest wait after each try."""
    policy = RetryPolicy(base_s=0.5, cap_s=30.0, chance=lambda: 1.0)
    waits = [policy.wait_s(tries, 0.0) for tries in range(9)]
    assert waits == [0.5, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


@pytest.mark.parametrize("chance", [0.0, 0.25, 1.0])
def test_the_jitter_is_full(chance: float) -> None:
    """Proves that a wait is any share of its ceiling, nothing included."""
    assert RetryPolicy(chance=lambda: chance).wait_s(3, 0.0) == 2.0 * chance


def test_tries_are_used_up_at_the_maximum() -> None:
    """Proves the stop."""
    policy = RetryPolicy(max_tries=3)
    assert [policy.is_used_up(tries) for tries in range(5)] == [False, False, False, True, True]
