"""What the engine and generation tell of themselves: metrics, log lines, and the store's health."""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from jiraiya_events.adapters.telemetry.call_metrics import CallMetrics
from jiraiya_events.adapters.telemetry.engine_metrics import Ending, EngineMetrics
from jiraiya_events.adapters.telemetry.metrics import Metrics
from jiraiya_events.bootstrap.activity import Activity
from jiraiya_events.bootstrap.troubles import lack_behind
from jiraiya_events.domain.clock import Clock
from jiraiya_events.engine.errors import EngineError, Fenced
from jiraiya_events.engine.records import Partition, Record

log = structlog.get_logger("jiraiya_events.engine")


class EngineEvents(EngineMetrics):
    """Metrics, marks of what moves, and a line for what an operator should know."""

    def __init__(
        self,
        metrics: Metrics,
        clock: Clock,
        ending_of: Callable[[object], Ending | None],
        activity: Activity,
    ) -> None:
        super().__init__(metrics, clock, ending_of)
        self._activity = activity

    def rebalanced(self) -> None:
        """Note an assignment."""
        super().rebalanced()
        self._activity.rebalanced()

    def started(self, work: object, waited_s: float) -> None:
        """Note that a record has its turn."""
        super().started(work, waited_s)
        self._activity.started()

    def committed(self, finished: Sequence[tuple[Record, object]], seconds: float) -> None:
        """Note a success; one without records is the bare progress of an idle partition."""
        super().committed(finished, seconds)
        if finished:
            record, _ = finished[0]
            self._activity.committed(Partition(record.topic, record.partition))

    def transaction_failed(self, partition: Partition, error: EngineError) -> None:
        """Say why; the engine mends it by itself."""
        super().transaction_failed(partition, error)
        self._activity.failed(partition, error, asyncio.get_running_loop().time())
        lack = lack_behind(error)
        log.warning(
            "a transaction did not commit; the log decides what is done again",
            fenced=isinstance(error, Fenced),
            error=str(error),
            **({} if lack is None else {"mend": lack.mend}),
            **_named(partition),
        )

    def vanished(self, partition: Partition, offsets: Sequence[int]) -> None:
        """Say loudly: retention took records before they were worked on."""
        super().vanished(partition, offsets)
        log.error(
            "requests were lost: the topic dropped them before they were worked on; "
            "raise its retention, or find out who deleted them",
            **_named(partition),
            at_most=len(offsets),
            first=offsets[0],
            last=offsets[-1],
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
