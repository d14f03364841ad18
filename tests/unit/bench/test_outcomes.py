"""What the benches say of outcomes: silences are not shortened, nothing lost looks answered."""

import pytest

from bench.outcomes import Outcome, answered, between, doubled, firsts, gap, rate, silent

SEEN = [
    Outcome(0, 0, 1.0),
    Outcome(1, 0, 2.0),
    Outcome(0, 1, 3.0),
    Outcome(1, 1, 9.0),
    Outcome(0, 2, 9.5),
]


def test_a_window_has_its_end_and_not_its_start() -> None:
    assert between(SEEN, 1.0, 3.0) == SEEN[1:3]
    assert rate(SEEN, 1.0, 3.0) == pytest.approx(1.0)


def test_a_partition_is_silent_unless_it_was_heard_of_in_the_window() -> None:
    assert silent(SEEN, 3, 0.0, 2.0) == {2}
    assert silent(SEEN, 3, 2.0, 8.0) == {1, 2}
    assert silent(SEEN, 3, 3.0, 8.0) == {0, 1, 2}


def test_the_first_outcome_after_an_instant_is_neither_an_earlier_nor_a_later_one() -> None:
    assert firsts(SEEN, {0, 1}, 1.0) == {0: 3.0, 1: 2.0}
    assert firsts(SEEN, {1}, 2.0) == {1: 9.0}
    assert firsts(SEEN, {2}, 0.0) == {}


@pytest.mark.parametrize(
    ("partition", "start", "end", "longest"),
    [(0, 0.0, 10.0, 6.5), (1, 0.0, 10.0, 7.0), (0, 2.5, 4.5, 1.5), (0, 0.0, 1.5, 1.0)],
)
def test_a_silence_counts_up_to_the_edges_of_the_window(
    partition: int, start: float, end: float, longest: float
) -> None:
    assert gap(SEEN, partition, start, end) == pytest.approx(longest)


def test_a_partition_that_was_never_heard_of_was_silent_all_the_time() -> None:
    assert gap(SEEN, 7, 2.0, 10.0) == pytest.approx(8.0)


def test_the_same_offset_of_two_partitions_is_two_requests() -> None:
    assert (answered(SEEN), doubled(SEEN)) == (5, 0)


def test_a_second_outcome_answers_no_other_request() -> None:
    twice = [*SEEN, Outcome(0, 1, 12.0)]
    assert (answered(twice), doubled(twice)) == (5, 1)
