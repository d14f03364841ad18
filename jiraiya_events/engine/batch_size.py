"""How much goes into one transaction: a log ends one that takes too long, so the next is smaller.

Half of what failed after each failure, whatever its reason; an eighth more after each success. So
one that would never end in time is soon small enough, and few are tried in vain afterwards.
"""

from collections.abc import Iterable, Sequence
from itertools import accumulate

from jiraiya_events.engine.finished import Finished

RECORDS = 500
BYTES = 4 * 1024 * 1024
"""Well within the ten seconds of a transaction; more at once saves nothing."""

SMALLEST = 1 / RECORDS
GROWTH = 9 / 8


class BatchSize:
    """The share of `RECORDS` and `BYTES` a transaction may have; one record it always may."""

    def __init__(self) -> None:
        self._share = 1.0

    def first_of(self, finished: Sequence[Finished]) -> list[Finished]:
        """Return as many of the first ones as one transaction may have."""
        most = BYTES * self._share
        first = finished[: max(1, int(RECORDS * self._share))]
        fitting = sum(size <= most for size in accumulate(_sizes(first)))
        return list(first[: max(1, fitting)])

    def failed(self, batch: Sequence[Finished]) -> None:
        """Note that this batch's transaction failed; a single record cannot be made fewer."""
        if len(batch) <= 1:
            return
        tried = max(len(batch) / RECORDS, sum(_sizes(batch)) / BYTES)
        self._share = max(SMALLEST, min(self._share, tried) / 2)

    def succeeded(self) -> None:
        """Note that a transaction ended well."""
        self._share = min(1.0, self._share * GROWTH)


def _sizes(batch: Iterable[Finished]) -> Iterable[int]:
    """Yield how many bytes the outputs of each have, all names of headers aside."""
    for item in batch:
        yield sum(
            len(output.key or b"")
            + len(output.value or b"")
            + sum([len(value or b"") for _, value in output.headers])
            for output in item.outputs
        )
