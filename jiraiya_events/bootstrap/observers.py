"""What the engine and generation tell of themselves: metrics, log lines, and the store's health."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from jiraiya_events.adapters.telemetry.call_metrics import CallMetrics
from jiraiya_events.adapters.telemetry.engine_metrics import Ending, EngineMetrics
from jiraiya_events.adapters.telemetry.metrics import Metrics
from jiraiya_events.bootstrap.activity import Activity
from jiraiya_events.bootstrap.troubles import lack_behind
from jiraiya_events.domain.clock import Clock
from jiraiya_events.engine.errors import EngineError, Fenced
from jiraiya_events.engine.records import Partition, Record
from jiraiya_events.generation.faults import Fault

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
    """Metrics, and the store's health: one line when a use of it fails, one when it works again.

    Its uses fail and come back each by itself: a right may be missing for one of them alone.
    """

    def __init__(self, metrics: Metrics) -> None:
        super().__init__(metrics)
        self._failing: dict[str, str] = {}

    @property
    def store_error(self) -> str | None:
        """Return why the store cannot be used, None when it can."""
        return next(iter(self._failing.values()), None)

    def call_failed(self, model: str, fault: Fault) -> None:
        """Say what the provider or the network said."""
        log.warning(
            "a model call failed",
            model=model,
            kind=fault.kind.value,
            status=fault.status,
            provider_code=fault.provider_code,
            detail=fault.detail,
        )

    def store_looked_up(self, result: str) -> None:
        """Note that the store answered."""
        super().store_looked_up(result)
        if result != "error":
            self.store_answered(_RESULTS)

    def store_answered(self, operation: str) -> None:
        """Note that this use of the store works."""
        if self._failing and self._failing.pop(_use_of(operation), None) is not None:
            log.warning("the store is back", used_for=_use_of(operation))

    def store_failed(self, operation: str, reason: str) -> None:
        """Note that this use of the store does not work, and what that means."""
        super().store_failed(operation, reason)
        use = _use_of(operation)
        if use not in self._failing:
            log.error(_MEANING[use], operation=operation, reason=reason)
        self._failing[use] = reason


_RESULTS: Final = "results"
_BUDGETS: Final = "budgets"
_USES: Final = {"reserve": _BUDGETS, "settle": _BUDGETS, "limit": "limits", "cache": "cache"}
_MEANING: Final = {
    _RESULTS: "the result store does not work; stories go on, but may be paid for twice",
    _BUDGETS: "the budgets cannot be kept; calls wait until they can",
    "limits": "users' requests cannot be counted; nobody is limited",
    "cache": "the response cache does not work; equal wishes are written anew",
}


def _use_of(operation: str) -> str:
    return _USES.get(operation, _RESULTS)


def _named(partition: Partition) -> dict[str, object]:
    return {"topic": partition.topic, "partition": partition.partition}
