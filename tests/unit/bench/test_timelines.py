"""What the benches say of the time that is ours: the model's is left out, and nothing else is."""

import pytest

from bench.timelines import Timeline, mean_in_flight, percentile

STORY = Timeline(requested=10.0, arrived=10.02, answered=11.02, ready=11.05, visible=11.15)


def test_ours_is_everything_but_the_model_and_the_commit() -> None:
    assert STORY.before == pytest.approx(0.02)
    assert STORY.afterwards == pytest.approx(0.03)
    assert STORY.ours == pytest.approx(0.05)


def test_the_commit_and_the_wait_for_it_are_told_apart() -> None:
    assert STORY.ours_committed - STORY.ours == pytest.approx(STORY.visible - STORY.ready)


@pytest.mark.parametrize(
    ("share", "value"), [(0.001, 1), (0.5, 50), (0.99, 99), (0.991, 100), (1.0, 100)]
)
def test_a_percentile_is_the_smallest_value_that_its_share_does_not_exceed(
    share: float, value: int
) -> None:
    assert percentile(list(range(100, 0, -1)), share) == value


def test_in_flight_is_the_endpoints_own_time_over_the_window() -> None:
    seen = [Timeline(0.0, at, at + 2.0, at + 2.0, at + 2.0) for at in (1.0, 2.0, 3.0, 4.0, 5.0)]
    assert mean_in_flight(seen) == pytest.approx(2.5)
