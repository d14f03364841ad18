"""What the engine tells of itself; the default listens to nothing."""

from collections.abc import Sequence

from jiraiya_events.engine.errors import EngineError
from jiraiya_events.engine.records import Partition, Record
from jiraiya_events.engine.verdicts import Work


class Observer:
    """Override what is of interest. Calls are synchronous, frequent and must not raise."""

    def consumed(self, record: Record) -> None:
        """Tell that a record was accepted."""

    def started(self, work: Work, waited_s: float) -> None:
        """Tell that a handler was given a record `waited_s` seconds after it was read."""

    def committed(self, finished: Sequence[tuple[Record, object]], seconds: float) -> None:
        """Tell that these records, each with its label, were committed in one transaction."""

    def transaction_failed(self, partition: Partition, error: EngineError) -> None:
        """Tell why a transaction, or the start of a writer, did not succeed."""

    def rebalanced(self) -> None:
        """Tell that an assignment arrived."""

    def vanished(self, partition: Partition, offsets: Sequence[int]) -> None:
        """Tell that unfinished records are no longer in the log (retention)."""

    def halted(self, partition: Partition, reason: str) -> None:
        """Tell that a partition stopped until somebody acts."""
