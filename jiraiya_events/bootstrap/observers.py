"""What the engine and generation tell of themselves: metrics, log lines, and the store's health."""

from collections.abc import Sequence

import structlog

from jiraiya_events.adapters.telemetry.call_metrics import CallMetrics
from jiraiya_events.adapters.telemetry.engine_metrics import EngineMetrics
from jiraiya_events.engine.errors import EngineError, Fenced
from jiraiya_events.engine.records import Partition

log = structlog.get_logger("jiraiya_events.engine")


class EngineEvents(EngineMetrics):
    """Metrics, and a line for what an operator should know."""

    def transaction_failed(self, partition: Partition, error: EngineError) -> None:
        """Say why; the engine mends it by itself."""
        super().transaction_failed(partition, error)
        log.warning(
            "a transaction did not commit; the log decides what is done again",
            fenced=isinstance(error, Fenced),
            error=str(error),
            **_named(partition),
        )

    def vanished(self, partition: Partition, offsets: Sequence[int]) -> None:
        """Say loudly: retention took records before they were worked on."""
        super().vanished(partition, offsets)
        log.error(
            "unfinished records are no longer in the topic: raise its retention",
            **_named(partition),
            count=len(offsets),
            first=offsets[0],
        )

    def halted(self, partition: Partition, reason: str) -> None:
        """Say that somebody must act."""
        super().halted(partition, reason)
        log.critical("a partition stopped", **_named(partition), reason=reason)


class CallEvents(CallMetrics):
    """Metrics, and the store's health: one line when it goes, one when it is back."""

    store_error: str | None = None

    def store_looked_up(self, result: str) -> None:
        """Note that the store answered."""
        super().store_looked_up(result)
        if result != "error" and self.store_error is not None:
            self.store_error = None
            log.warning("the result store is back")

    def store_failed(self, operation: str, reason: str) -> None:
        """Note that the service goes on without the store."""
        super().store_failed(operation, reason)
        if self.store_error is None:
            log.error(
                "the result store does not work; stories go on, but may be paid for twice",
                operation=operation,
                reason=reason,
            )
        self.store_error = reason


def _named(partition: Partition) -> dict[str, object]:
    return {"topic": partition.topic, "partition": partition.partition}
