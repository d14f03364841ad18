"""What the whole process may spend on retries."""

import pytest

from jiraiya_events.generation.retry_budget import RetryBudget


def test_retries_beyond_the_budget_are_put_off_not_refused() -> None:
    """Proves the spacing: after the reserve, one every fifth of a second."""
    budget = RetryBudget(share=0.2, per_second=5.0, reserve=3.0)
    waits = [budget.take(100.0, 9.0) for _ in range(6)]
    assert waits == pytest.approx([0.0, 0.0, 0.0, 0.2, 0.4, 0.6])


def test_calls_and_time_fill_it_up_to_its_reserve() -> None:
    """Proves both sources, and that a quiet night allows no storm."""
    budget = RetryBudget(share=0.2, per_second=5.0, reserve=2.0)
    for _ in range(2):
        budget.take(100.0, 9.0)
    for _ in range(5):
        budget.called(100.0)
    assert budget.take(100.0, 9.0) == 0.0
    assert [budget.take(10_000.0, 9.0) for _ in range(3)] == pytest.approx([0.0, 0.0, 0.2])


def test_a_clock_that_steps_back_gives_no_tokens() -> None:
    """Proves that wall time may be set without a storm."""
    budget = RetryBudget(share=0.2, per_second=5.0, reserve=1.0)
    assert budget.take(100.0, 9.0) == 0.0
    assert budget.take(50.0, 9.0) == pytest.approx(0.2)


def test_a_retry_there_is_no_time_for_takes_no_token() -> None:
    """Else requests that fail at their deadlines would put off those that have time."""
    budget = RetryBudget(share=0.2, per_second=5.0, reserve=1.0)
    assert budget.take(100.0, 9.0) == 0.0
    assert [budget.take(100.0, 0.1) for _ in range(50)] == [None] * 50
    assert budget.take(100.0, 0.2) == pytest.approx(0.2)
    debt = [budget.take(100.0, 2.0) for _ in range(50)]
    assert debt[9:] == [None] * 41, "no more is owed than comes in that time"


def test_the_wait_for_a_token_knows_what_calls_bring() -> None:
    """At a hundred calls a second twenty come beside the five of time."""
    budget = RetryBudget(share=0.2, per_second=5.0, reserve=1.0)
    for call in range(6_000):
        now = 100.0 + call / 100
        budget.called(now)
    budget.take(now, 9.0)
    assert budget.take(now, 9.0) == pytest.approx(1 / 25, rel=0.02)
