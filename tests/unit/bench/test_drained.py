"""Shares of a drain: what lies between them is neither counted twice nor left out."""

import pytest

from bench.draining import Commit, Drained

DRAINED = Drained(
    [Commit(1.0, 20, 0.5), Commit(2.0, 40, 0.9), Commit(4.0, 80, 1.7), Commit(5.0, 100, 2.0)], 60.0
)


def test_a_share_is_what_was_taken_between_its_ends() -> None:
    assert DRAINED.share(0.2, 0.4) == pytest.approx(Commit(1.0, 20, 0.4))
    assert DRAINED.share(0.8, 1.0) == pytest.approx(Commit(1.0, 20, 0.3))


def test_all_of_a_drain_is_the_drain() -> None:
    whole = DRAINED.share(0.0, 1.0)
    assert whole == DRAINED.commits[-1]
    assert (whole.seconds, whole.cpu_s) == (DRAINED.seconds, DRAINED.cpu_s)


def test_a_share_that_ends_within_a_transaction_takes_the_whole_transaction() -> None:
    assert DRAINED.share(0.0, 0.5).records == 80
