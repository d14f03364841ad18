"""One model call under its time limits, and what the breaker and the gate learn from it."""

import asyncio
from dataclasses import dataclass

from jiraiya_events.domain.clock import Clock
from jiraiya_events.generation import classification
from jiraiya_events.generation.breaker import Permit
from jiraiya_events.generation.classification import Counts, Retry, Verdict
from jiraiya_events.generation.faults import CallFault, Fault, FaultKind
from jiraiya_events.generation.paid import ModelAnswer
from jiraiya_events.generation.ports import CallObserver, Gate, ModelPort, PriceList
from jiraiya_events.generation.progress import SpentTry
from jiraiya_events.generation.prompt import Prompt
from jiraiya_events.generation.turn import Turn


@dataclass(frozen=True, slots=True)
class Failed:
    """The call brought no answer."""

    verdict: Verdict
    failure: SpentTry
    retry_after_s: float


@dataclass(frozen=True, slots=True)
class Cut:
    """The request's deadline passed during the call, or it was withdrawn; the call was closed."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The call brought an answer; `failure` is what it stands for should it have no end."""

    answer: ModelAnswer
    failure: SpentTry


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
        self, turn: Turn, prompt: Prompt, permit: Permit, max_output_tokens: int | None
    ) -> Answered | Failed | Cut:
        """Call the model and settle `permit`."""
        turn.progress.calls += 1
        self._observer.call_started(turn.model)
        left_s = turn.deadline - permit.started_at
        limit_s = min(left_s, self._timeout_s)
        try:
            async with asyncio.timeout(limit_s) as limit:
                with turn.progress.withdrawal.cuts(limit):
                    answer = await self._model.complete(
                        prompt,
                        model=turn.model,
                        max_output_tokens=max_output_tokens,
                        timeout_s=limit_s,
                    )
        except TimeoutError:
            if turn.progress.withdrawal.message is not None:
                return self._on_cut(turn, permit)
            fault = Fault(FaultKind.TIMEOUT)
        except CallFault as error:
            fault = error.fault
        except asyncio.CancelledError:
            turn.progress.doubt_billing()
            self._finish(turn, permit, "cut")
            raise
        else:
            return self._on_answer(turn, permit, answer)
        if fault.kind is FaultKind.TIMEOUT and left_s <= self._timeout_s:
            return self._on_cut(turn, permit)
        return self._on_fault(turn, permit, fault)

    def _on_answer(self, turn: Turn, permit: Permit, answer: ModelAnswer) -> Answered:
        now = self._clock.now()
        self._gate.accepted(turn.model)
        usage = answer.usage
        cost = None if usage is None else self._prices.cost_pico_usd(turn.model, usage)
        turn.progress.charge(usage, cost)
        verdict = classification.of_flaw(classification.Flaw.NO_FINISH_REASON)
        outcome = "ok"
        if answer.finish_reason is None and not answer.refusal:
            outcome = verdict.code.value
            permit.failed(now, verdict.code)
        else:
            permit.answered(now)
        self._observer.call_finished(turn.model, outcome, now - permit.started_at, usage, cost)
        return Answered(answer, SpentTry(permit.started_at, now, verdict.repair))

    def _on_fault(self, turn: Turn, permit: Permit, fault: Fault) -> Failed:
        now = self._clock.now()
        verdict = classification.of_fault(fault)
        if fault.kind.may_be_billed:
            turn.progress.doubt_billing()
        if verdict.retry is Retry.AFTER_RETRY_AFTER:
            self._gate.limited(turn.model, now, fault.retry_after_s)
        if verdict.counts is Counts.NO:
            permit.release(now)
        else:
            permit.failed(now, verdict.code, opens=verdict.counts is Counts.OPENS)
        self._finish(turn, permit, verdict.code.value)
        failure = SpentTry(permit.started_at, now, verdict.repair)
        return Failed(verdict, failure, fault.retry_after_s or 0.0)

    def _on_cut(self, turn: Turn, permit: Permit) -> Cut:
        turn.progress.doubt_billing()
        permit.cut(self._clock.now())
        self._finish(turn, permit, "cut")
        return Cut()

    def _finish(self, turn: Turn, permit: Permit, outcome: str) -> None:
        seconds = self._clock.now() - permit.started_at
        self._observer.call_finished(turn.model, outcome, seconds, None, None)
