"""What can be said about outcomes seen over time; no clock and no Kafka in here.

Everywhere `seen` is ordered by time, and a time is in seconds of one monotonic clock.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple


class Outcome(NamedTuple):
    """The answer to the request at `partition` and `offset` became visible `at`."""

    partition: int
    offset: int
    at: float


def after(seen: Sequence[Outcome], start: float) -> Sequence[Outcome]:
    """Return what was seen later than `start`."""
    return seen[bisect_right(seen, start, key=lambda outcome: outcome.at) :]


def between(seen: Sequence[Outcome], start: float, end: float) -> Sequence[Outcome]:
    """Return what was seen later than `start`, and not later than `end`."""
    return [outcome for outcome in after(seen, start) if outcome.at <= end]


def rate(seen: Sequence[Outcome], start: float, end: float) -> float:
    """Return outcomes per second of that window."""
    return len(between(seen, start, end)) / (end - start)


def silent(seen: Sequence[Outcome], partitions: int, start: float, end: float) -> set[int]:
    """Return the partitions without an outcome in that window."""
    return set(range(partitions)) - {outcome.partition for outcome in between(seen, start, end)}


def firsts(seen: Sequence[Outcome], partitions: Iterable[int], start: float) -> dict[int, float]:
    """Return when each of these partitions was heard of first after `start`, if it was."""
    wanted = set(partitions)
    found: dict[int, float] = {}
    for outcome in after(seen, start):
        if outcome.partition in wanted:
            found.setdefault(outcome.partition, outcome.at)
    return found


def gap(seen: Sequence[Outcome], partition: int, start: float, end: float) -> float:
    """Return the longest time without an outcome of the partition, the window's edges counted."""
    times = [outcome.at for outcome in between(seen, start, end) if outcome.partition == partition]
    return max(later - earlier for earlier, later in pairwise([start, *times, end]))


def doubled(seen: Sequence[Outcome]) -> int:
    """Return how many outcomes answer a request that another one had answered before."""
    return len(seen) - answered(seen)


def answered(seen: Sequence[Outcome]) -> int:
    """Return how many requests have an outcome."""
    return len({(outcome.partition, outcome.offset) for outcome in seen})
