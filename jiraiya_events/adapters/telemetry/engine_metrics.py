"""Records, transactions and rebalances, as the engine tells of them, into metrics."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from jiraiya_events.adapters.telemetry.metrics import Metrics
from jiraiya_events.domain.clock import Clock
from jiraiya_events.engine.errors import EngineError, Fenced, OutputsRefused
from jiraiya_events.engine.observer import Observer
from jiraiya_events.engine.records import Partition, Record

NO_CODE: Final = "none"


class Ending(NamedTuple):
    """How one request ended; `overhead_s` is None when no model time was measured."""

    outcome: str
    code: str = NO_CODE
    overhead_s: float | None = None
    dead_lettered: bool = False


class EngineMetrics(Observer):
    """Counts what the engine does; `ending_of` reads the label that the handler gave a record."""

    def __init__(
        self, metrics: Metrics, clock: Clock, ending_of: Callable[[object], Ending | None]
    ) -> None:
        self._metrics = metrics
        self._clock = clock
        self._ending_of = ending_of

    def consumed(self, record: Record) -> None:
        """Count an accepted record."""
        self._metrics.consumed.labels(record.topic).inc()

    def started(self, work: object, waited_s: float) -> None:  # noqa: ARG002 - the port's
        """Observe how long a record waited for its turn."""
        self._metrics.event_wait.observe(max(0.0, waited_s))

    def committed(self, finished: Sequence[tuple[Record, object]], seconds: float) -> None:
        """Count a transaction and every request that ended with it."""
        self._metrics.transactions.labels("committed").inc()
        self._metrics.commit_duration.observe(seconds)
        now_ms = self._clock.now() * 1000
        for record, label in finished:
            ending = self._ending_of(label)
            if ending is not None:
                self._ended(ending)
                if record.timestamp_ms >= 0:  # -1: the producer has said none
                    age_s = max(0.0, (now_ms - record.timestamp_ms) / 1000)
                    self._metrics.event_duration.observe(age_s)

    def transaction_failed(self, partition: Partition, error: EngineError) -> None:  # noqa: ARG002 - the port's
        """Count a transaction that did not commit, by why."""
        self._metrics.transactions.labels(_result(error)).inc()

    def rebalanced(self) -> None:
        """Count an assignment."""
        self._metrics.rebalances.inc()

    def _ended(self, ending: Ending) -> None:
        metrics = self._metrics
        metrics.completed.labels(ending.outcome, ending.code).inc()
        if ending.overhead_s is not None:
            metrics.overhead.observe(max(0.0, ending.overhead_s))
        if ending.dead_lettered:
            metrics.dead_letters.labels(ending.code).inc()


def _result(error: EngineError) -> str:
    if isinstance(error, Fenced):
        return "fenced"
    return "refused" if isinstance(error, OutputsRefused) else "failed"
