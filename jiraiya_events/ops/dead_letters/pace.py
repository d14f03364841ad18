"""How fast dead letters are handled."""

from dataclasses import dataclass
from typing import Final

BATCH: Final = 100
"""Most records of one transaction: it takes tens of milliseconds, and others wait behind it."""

BATCH_BYTES: Final = 4 * 1024 * 1024
"""A transaction is closed when its dead letters' values have come to this: they are all held."""

_TRANSACTIONS_PER_S: Final = 10


@dataclass(frozen=True, slots=True)
class Pace:
    """`rate` is in records a second, None as fast as transactions go."""

    rate: float | None = None

    @property
    def batch(self) -> int:
        """How many records to put into one transaction, so that the rate is kept smoothly."""
        if self.rate is None:
            return BATCH
        return max(1, min(BATCH, int(self.rate / _TRANSACTIONS_PER_S)))

    def wait_s(self, committed: int, since_s: float) -> float:
        """Return how long the next transaction waits, `since_s` after one of `committed` ended.

        Time that was lost before is not made up for: that would be a burst.
        """
        if self.rate is None:
            return 0.0
        return max(0.0, committed / self.rate - since_s)
