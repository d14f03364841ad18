"""What moved, and what failed last: counted from what the engine tells of itself."""

from collections import Counter
from dataclasses import dataclass
from typing import Final

from jiraiya_events.engine.errors import EngineError, Fenced
from jiraiya_events.engine.records import Partition

ROW_S: Final = 70.0
"""A transaction and the new writer after it are bounded by 30, 5 and 20 s: trouble that goes on
shows itself again within this."""


@dataclass(slots=True)
class Trouble:
    """A row of failures that no success has ended; times are seconds of the loop's clock."""

    since_s: float
    last_s: float
    error: EngineError
    failures: int = 1

    @property
    def fenced(self) -> bool:
        """Return whether another producer uses our transactional id."""
        return isinstance(self.error, Fenced)

    def goes_on(self, now_s: float) -> bool:
        """Tell whether this is a row, and its last failure not long ago."""
        return self.failures > 1 and now_s - self.last_s <= ROW_S


class Activity:
    """Marks that change whenever something moves, and the trouble each partition is in."""

    def __init__(self) -> None:
        self.starts = 0
        """Records given to a handler."""
        self.transactions: Counter[Partition] = Counter()
        """Transactions that ended, one way or the other."""
        self.troubles: dict[Partition, Trouble] = {}

    def started(self) -> None:
        """Note that a record was given to a handler."""
        self.starts += 1

    def rebalanced(self) -> None:
        """Note an assignment: what was before is no trouble of the new sessions."""
        self.troubles.clear()

    def committed(self, partition: Partition) -> None:
        """Note a success, which ends any trouble."""
        self.transactions[partition] += 1
        self.troubles.pop(partition, None)

    def failed(self, partition: Partition, error: EngineError, now_s: float) -> None:
        """Note a failure, the first of a row or one more."""
        self.transactions[partition] += 1
        trouble = self.troubles.get(partition)
        if trouble is None or now_s - trouble.last_s > ROW_S:
            self.troubles[partition] = Trouble(now_s, now_s, error)
        else:
            trouble.last_s, trouble.error = now_s, error
            trouble.failures += 1
