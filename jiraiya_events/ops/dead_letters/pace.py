"""How fast dead letters are handled."""

from dataclasses import dataclass
from typing import Final

BATCH: Final = 100
"""Most records of one transaction: it takes tens of milliseconds, and others wait behind it."""

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

    def wait_s(self, done: int, elapsed_s: float) -> float:
        """Return for how long to wait when `done` were handled in `elapsed_s` seconds."""
        if self.rate is None:
            return 0.0
        return max(0.0, done / self.rate - elapsed_s)
