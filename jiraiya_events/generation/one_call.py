"""One model call, and what the breaker, the gate and the bill learn from it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from jiraiya_events.domain.clock import Clock
from jiraiya_events.generation import classification
from jiraiya_events.generation.bounded_call import CUT, Cut, bounded
from jiraiya_events.generation.breaker import Permit
from jiraiya_events.generation.classification import Counts, Retry, Verdict
from jiraiya_events.generation.faults import Fault
from jiraiya_events.generation.finish_reasons import flaw_of_end
from jiraiya_events.generation.paid import ModelAnswer
from jiraiya_events.generation.ports import CallObserver, Gate, ModelPort, PriceList
from jiraiya_events.generation.progress import SpentTry
from jiraiya_events.generation.turn import Turn


@dataclass(frozen=True, slots=True)
class Failed:
    """The call brought no answer; `may_cost` when the provider may charge for it all the same."""

    verdict: Verdict
    failure: SpentTry
    retry_after_s: float
    may_cost: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    """The call brought an answer; `failure` is what it stands for should it have no end."""

    answer: ModelAnswer
    failure: SpentTry
    cost_pico_usd: int | None


class OneCall:
    """Makes one call; cancelling it closes the connection and gives the permit back."""

    def __init__(
        self,
        *,
        model: ModelPort,
        gate: Gate,
        prices: PriceList,
        clock: Clock,
        observer: CallObserver,
        timeout_s: float,
    ) -> None:
        self._model = model
        self._gate = gate
        self._prices = prices
        self._clock = clock
        self._observer = observer
        self._timeout_s = timeout_s

    async def make(
        self, turn: Turn, permit: Permit, max_output_tokens: int | None
    ) -> Answered | Failed | Cut:
        """Call the model and settle `permit`."""
        turn.progress.calls += 1
        try:
            called = await bounded(
                self._complete(turn, permit, max_output_tokens),
                left_s=turn.deadline - permit.started_at,
                timeout_s=self._timeout_s,
                withdrawal=turn.progress.withdrawal,
            )
        except asyncio.CancelledError:
            turn.progress.doubt_billing()
            self._finish(turn, permit, "cut")
            raise
        if isinstance(called, Cut):
            return self._on_cut(turn, permit)
        if isinstance(called, Fault):
            return self._on_fault(turn, permit, called)
        return self._on_answer(turn, permit, called)

    def _complete(
        self, turn: Turn, permit: Permit, max_output_tokens: int | None
    ) -> Callable[[float], Awaitable[ModelAnswer]]:
        on_text = self._reader(turn, permit)

        async def complete(limit_s: float) -> ModelAnswer:
            return await self._model.complete(
                turn.prompt,
                model=turn.model,
                max_output_tokens=max_output_tokens,
                timeout_s=limit_s,
                on_text=on_text,
            )

        return complete

    def _reader(self, turn: Turn, permit: Permit) -> Callable[[str], None] | None:
        """Return who reads along; only until something is published, as text is told once."""
        feed = turn.feed
        if feed is None or feed.withheld or feed.published:
            return None
        feed.begin()
        turn.progress.streamed_by = turn.model
        waiting = True

        def on_text(delta: str) -> None:
            nonlocal waiting
            if waiting:
                waiting = False
                seconds = self._clock.now() - permit.started_at
                self._observer.first_text(turn.model, seconds)
            feed.text(delta)

        return on_text

    def _on_answer(self, turn: Turn, permit: Permit, answer: ModelAnswer) -> Answered:
        now = self._clock.now()
        seconds = now - permit.started_at
        turn.progress.calling_s += seconds
        usage = answer.usage
        self._gate.accepted(
            turn.model,
            now,
            seconds=seconds,
            output_tokens=None if usage is None else usage.output_tokens,
            headers=answer.headers,
        )
        cost = None if usage is None else self._prices.cost_pico_usd(turn.model, usage)
        turn.progress.charge(usage, cost)
        verdict = classification.of_flaw(classification.Flaw.NO_FINISH_REASON)
        outcome = "ok"
        if flaw_of_end(answer) is classification.Flaw.NO_FINISH_REASON:
            outcome = verdict.code.value
            permit.failed(now, verdict.code)
        else:
            permit.answered(now)
        self._observer.call_finished(turn.model, outcome, seconds, usage, cost)
        return Answered(answer, SpentTry(permit.started_at, now, verdict.repair), cost)

    def _on_fault(self, turn: Turn, permit: Permit, fault: Fault) -> Failed:
        now = self._clock.now()
        verdict = classification.of_fault(fault, turn.used.repairs)
        self._observer.call_failed(turn.model, fault)
        if fault.kind.may_be_billed:
            turn.progress.doubt_billing()
        if verdict.retry is Retry.AFTER_RETRY_AFTER:
            self._gate.limited(turn.model, now, fault.retry_after_s)
        settle(permit, verdict, now)
        self._finish(turn, permit, verdict.code.value)
        failure = SpentTry(permit.started_at, now, verdict.repair)
        return Failed(verdict, failure, fault.retry_after_s or 0.0, fault.kind.may_be_billed)

    def _on_cut(self, turn: Turn, permit: Permit) -> Cut:
        turn.progress.doubt_billing()
        permit.cut(self._clock.now())
        self._finish(turn, permit, "cut")
        return CUT

    def _finish(self, turn: Turn, permit: Permit, outcome: str) -> None:
        seconds = self._clock.now() - permit.started_at
        turn.progress.calling_s += seconds
        self._observer.call_finished(turn.model, outcome, seconds, None, None)


def settle(permit: Permit, verdict: Verdict, now: float) -> None:
    """Tell the breaker of a failed call as much as the table says."""
    if verdict.counts is Counts.NO:
        permit.release(now)
    else:
        permit.failed(now, verdict.code, opens=verdict.counts is Counts.OPENS)
