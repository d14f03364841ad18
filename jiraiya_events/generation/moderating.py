"""The provider's moderation of what goes in and what comes out, when it is switched on.

It has a breaker of its own, and its calls are retried like a model's. Text it could not look at
is never passed on: the request waits, and ends as `provider_unavailable` when its tries or its
time are used up.
"""

from dataclasses import replace
from typing import Final

from jiraiya_events.domain.clock import Clock
from jiraiya_events.domain.codes import ErrorCode
from jiraiya_events.generation import classification, consequences
from jiraiya_events.generation.bounded_call import Cut, bounded
from jiraiya_events.generation.breaker import Permit
from jiraiya_events.generation.breakers import Breakers
from jiraiya_events.generation.candidates import Candidate
from jiraiya_events.generation.classification import Retry, Verdict
from jiraiya_events.generation.faults import Fault
from jiraiya_events.generation.one_call import settle
from jiraiya_events.generation.ports import CallObserver
from jiraiya_events.generation.progress import SpentTry
from jiraiya_events.generation.retry_policy import RetryPolicy
from jiraiya_events.generation.safety.moderation import Moderation
from jiraiya_events.generation.steps import Step
from jiraiya_events.generation.turn import Turn

MODERATION: Final = Candidate("moderation")
"""The name of its breaker."""

TIMEOUT_S: Final = 10.0

_MESSAGE: Final = "The safety check of the model provider could not be reached."


class Moderator:
    """Asks about one text at a time, within the limits of a turn."""

    def __init__(
        self,
        moderation: Moderation,
        breakers: Breakers,
        retry: RetryPolicy,
        clock: Clock,
        observer: CallObserver,
    ) -> None:
        self._moderation = moderation
        self._breakers = breakers
        self._retry = retry
        self._clock = clock
        self._observer = observer

    async def flags(self, turn: Turn, text: str, name: str) -> frozenset[str] | Step | Cut:
        """Return why the text is refused; else what to wait for, or that it was cut short.

        Each text has tries of its own; `name` tells them apart.
        """
        breaker = self._breakers.of(MODERATION.name)
        on = replace(turn, candidate=MODERATION, breaker=breaker, reviews=name)
        now = self._clock.now()
        permit = on.breaker.allow(now)
        on.used.give_back(on.breaker.outages)
        if permit is None:
            return consequences.await_breaker(on, ErrorCode.PROVIDER_UNAVAILABLE)
        try:
            return await self._ask(on, permit, text)
        finally:
            permit.release(self._clock.now())

    async def _ask(self, on: Turn, permit: Permit, text: str) -> frozenset[str] | Step | Cut:
        async def ask(_: float) -> frozenset[str]:
            return await self._moderation.flagged(text, on.request.audience)

        answered = await bounded(
            ask,
            left_s=on.deadline - permit.started_at,
            timeout_s=TIMEOUT_S,
            withdrawal=on.progress.withdrawal,
        )
        now = self._clock.now()
        if isinstance(answered, Cut):
            permit.cut(now)
            self._finish(on, permit, "cut", now)
            return answered
        if not isinstance(answered, Fault):
            permit.answered(now)
            self._finish(on, permit, "ok", now)
            return answered
        self._observer.call_failed(MODERATION.name, answered)
        verdict = _verdict(answered)
        self._finish(on, permit, verdict.code.value, now)
        settle(permit, verdict, now)
        failure = SpentTry(permit.started_at, now, verdict.repair)
        return consequences.after_failure(
            on, verdict, failure, self._retry, retry_after_s=answered.retry_after_s or 0.0
        )

    def _finish(self, on: Turn, permit: Permit, outcome: str, now: float) -> None:
        seconds = now - permit.started_at
        on.progress.calling_s += seconds
        self._observer.call_finished(MODERATION.name, outcome, seconds, None, None)


def _verdict(fault: Fault) -> Verdict:
    """Return the row of the table, with the one code and the patience this check has."""
    row = classification.of_fault(fault)
    retry = Retry.YES if row.retry in _PATIENT else row.retry
    return replace(
        row,
        retry=retry,
        code=ErrorCode.PROVIDER_UNAVAILABLE,
        message=_MESSAGE,
        repair=classification.Repair.NONE,
    )


_PATIENT = frozenset({Retry.ONCE, Retry.NO, Retry.AFTER_RETRY_AFTER})
