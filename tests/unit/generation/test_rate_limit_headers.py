"""What rate-limit headers say, and what is left alone."""

import pytest

from jiraiya_events.generation.rate_limit_headers import asked_to_wait_s, duration_s


def requests(left: object, reset: str, of: object = None) -> dict[str, str]:
    """Return headers about requests."""
    headers = {
        "x-ratelimit-remaining-requests": str(left),
        "x-ratelimit-reset-requests": reset,
    }
    return headers if of is None else {**headers, "x-ratelimit-limit-requests": str(of)}


def tokens(left: object, reset: str, of: object) -> dict[str, str]:
    """Return headers about tokens."""
    return {name.replace("requests", "tokens"): v for name, v in requests(left, reset, of).items()}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1s", 1.0), ("6m0s", 360.0), ("120ms", 0.12), ("1h2m3.5s", 3723.5), ("2m59.56s", 179.56),
        ("17", 17.0), ("0.25", 0.25), (" 7.66s ", 7.66), ("1m", 60.0), ("0s", 0.0), ("8.64s", 8.64),
    ],
)  # fmt: skip
def test_durations_are_read_as_they_are_written(text: str, seconds: float) -> None:
    assert duration_s(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text",
    [None, "", " ", "soon", "-1s", "s", "1 s", "1d", "1s2m", "1e9", "inf", "nan", "٣s", "9" * 400,
     "1700000000", "25h", "2027-01-01T00:00:00Z"],
)  # fmt: skip
def test_garbage_is_no_duration(text: str | None) -> None:
    """A point in time is none either."""
    assert duration_s(text) is None


def test_enough_left_asks_for_nothing() -> None:
    assert asked_to_wait_s(requests(11, "60s", 500), 10, 0) == 0.0


def test_too_few_for_those_in_flight_ask_to_wait_until_enough_came_back() -> None:
    """400 of 500 are used and come back in 48 s; one more than those in flight is needed."""
    assert asked_to_wait_s(requests(100, "48s", 500), 119, 0) == pytest.approx(20 / 400 * 48)


def test_without_a_total_it_is_waited_until_all_are_back() -> None:
    assert asked_to_wait_s(requests(3, "2s"), 5, 0) == 2.0


def test_more_than_there_is_takes_until_all_are_back() -> None:
    assert asked_to_wait_s(requests(0, "10s", 20), 19, 0) == pytest.approx(10.0)
    assert asked_to_wait_s(requests(1, "10s", 200), 190, 300) == pytest.approx(190 / 199 * 10)


def test_a_limit_on_calls_side_by_side_is_not_waited_for() -> None:
    """What is used is in flight: nothing comes back by waiting, and calls that end free it."""
    assert asked_to_wait_s(requests(0, "1s", 40), 40, 0) == 0.0
    assert asked_to_wait_s(requests(0, "1s", 40), 39, 0) == pytest.approx(1.0)


def test_tokens_for_another_answer_are_waited_for() -> None:
    """29,700 of 30,000 are used and come back in 59.4 s; 500 are needed."""
    assert asked_to_wait_s(tokens(300, "59.4s", 30_000), 10, 500) == pytest.approx(0.4)
    assert asked_to_wait_s(tokens(500, "59s", 30_000), 10, 500) == 0.0
    both = {**requests(0, "30s", 500), **tokens(300, "59.4s", 30_000)}
    assert asked_to_wait_s(both, 10, 500) == pytest.approx(11 / 500 * 30)


@pytest.mark.parametrize("left", ["-1", "", "many", "1.5", "٣", "9" * 400])
def test_garbage_is_left_alone(left: str) -> None:
    assert asked_to_wait_s(requests(left, "60s", 500), 1000, 0) == 0.0
    assert asked_to_wait_s({}, 1000, 1000) == 0.0


def test_a_total_below_what_is_left_is_not_believed() -> None:
    assert asked_to_wait_s(requests(5, "2s", 3), 10, 0) == 0.0
