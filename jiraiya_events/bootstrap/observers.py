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

    Its uses fail and come back each by itself: a right may be missing for one of them alone. A use
    may be of several kinds, such as reading and writing; it is back when none of them fails any
    more, and what works of one kind says nothing of another: a replica answers look-ups.
    """

    def __init__(self, metrics: Metrics) -> None:
        super().__init__(metrics)
        self._failing: dict[str, str] = {}
        """Why, by kind; the first is told."""
        self._rested: set[str] = set()
        """The failing kinds nobody has complained about since the last ping that worked."""

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
            self.store_answered("look_up")

    def store_answered(self, operation: str) -> None:
        """Note that this kind of use of the store works."""
        if not self._failing:
            return
        kind = _kind_of(operation)
        self._mended(kind)
        if kind == _SAVE:
            self._mended(_PING)  # the next one would say the same

    def store_pinged(self) -> None:
        """Note that the store could be written to, asked by nobody's request.

        Where nobody asks any more nothing else would tell that a use works again: so a kind that
        has not failed since the ping before counts as mended. One that goes on failing, beside
        pings that work, is not.
        """
        self._mended(_PING)
        for kind in self._rested & self._failing.keys():
            self._mended(kind)
        self._rested = set(self._failing)

    def store_failed(self, operation: str, reason: str) -> None:
        """Note that this kind of use of the store does not work, and what that means."""
        super().store_failed(operation, reason)
        kind = _kind_of(operation)
        use = _use_of(kind)
        if not any(_use_of(failing) == use for failing in self._failing):
            log.error(_MEANING[use], operation=operation, reason=reason)
        self._failing[kind] = reason
        self._rested.discard(kind)

    def backlog_full(self, most: int) -> None:
        """Say once what the outage costs from now on."""
        log.error(
            "more waits for the store than is kept: the oldest outcomes and answers are lost, and "
            "their requests are paid for again when they are resent",
            kept=most,
        )

    def _mended(self, kind: str) -> None:
        if self._failing.pop(kind, None) is None:
            return
        use = _use_of(kind)
        if not any(_use_of(failing) == use for failing in self._failing):
            log.warning(_BACK[use], used_for=use)


_RESULTS: Final = "results"
_BUDGETS: Final = "budgets"
_CACHE: Final = "cache"
_LIMITS: Final = "limits"
_SAVE: Final = "save"
_PING: Final = "ping"
_KINDS: Final = {
    "save_answer": _SAVE,
    "save_outcome": _SAVE,
    "renew": _SAVE,
    "release": _SAVE,
    "settle": "reserve",
}
"""Operations that work or fail together, by what they are called together."""
_USES: Final = {"reserve": _BUDGETS, "limit": _LIMITS, "cache": _CACHE, "cache_keep": _CACHE}
_MEANING: Final = {
    _RESULTS: "the result store does not work; stories go on, but may be paid for twice",
    _BUDGETS: "the budgets cannot be kept; calls wait until they can",
    _LIMITS: "users' requests cannot be counted; nobody is limited",
    _CACHE: "the response cache does not work; equal wishes are written anew",
}
# Different words: of lines that say the same within a few seconds one is written.
_BACK: Final = {
    _RESULTS: "the store is back",
    _BUDGETS: "the store is back: the budgets can be kept",
    _LIMITS: "the store is back: users' requests are counted",
    _CACHE: "the store is back: equal wishes are shared",
}


def _kind_of(operation: str) -> str:
    return _KINDS.get(operation, operation)


def _use_of(kind: str) -> str:
    return _USES.get(kind, _RESULTS)


def _named(partition: Partition) -> dict[str, object]:
    return {"topic": partition.topic, "partition": partition.partition}
