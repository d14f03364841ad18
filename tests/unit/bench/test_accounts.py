"""The row that says whether anything was lost or doubled."""

import pytest

from bench.accounts import lost_or_doubled
from bench.groups import Account

CLEAN = Account(requests=1_000)


@pytest.mark.parametrize(
    ("ours", "ratio", "verdict"),
    [
        (CLEAN, 0.0, "met"),
        (Account(requests=1_000, lost=1), 0.001, "missed"),
        (Account(requests=1_000, doubled=2), 0.002, "missed"),
    ],
)
def test_a_single_request_without_exactly_one_outcome_misses_the_goal(
    ours: Account, ratio: float, verdict: str
) -> None:
    row = lost_or_doubled("takeover", ours, CLEAN, "20 kills")
    assert row.ratio == pytest.approx(ratio)
    assert row.verdict == verdict


def test_what_the_yardstick_loses_is_shown_and_not_judged() -> None:
    row = lost_or_doubled("takeover", CLEAN, Account(requests=500, lost=3), "20 kills")
    assert row.verdict == "met"
    assert row.detail["plain loop"] == "3 lost, 0 doubled, of 500"
