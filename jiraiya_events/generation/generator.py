"""One attempt at a story: the paid answer, else the breaker, the gate, one call, the checks.

Nothing here waits for a retry or for the breaker: the step that is returned says what the lane
should wait for, and `Progress` remembers what the tries have used. One call of `attempt` makes
at most one model call.
"""

from dataclasses import dataclass

from jiraiya_events.domain.clock import Clock
from jiraiya_events.domain.codes import ErrorCode, Stage
from jiraiya_events.domain.errors import StoreUnavailable
from jiraiya_events.domain.identity import RequestIdentity
from jiraiya_events.domain.outcome import Source
from jiraiya_events.domain.request import StoryRequested
from jiraiya_events.domain.story import Safety, Story
from jiraiya_events.generation import classification, consequences
from jiraiya_events.generation.answer import read_answer
from jiraiya_events.generation.breaker import Permit, State
from jiraiya_events.generation.breakers import Breakers
from jiraiya_events.generation.checks import check
from jiraiya_events.generation.classification import Flaw, Repair, Retry
from jiraiya_events.generation.one_call import Answered, Cut, Failed, OneCall
from jiraiya_events.generation.paid import ModelAnswer, PaidAnswer
from jiraiya_events.generation.ports import CallObserver, Gate, ModelPort, PriceList, ResultStore
from jiraiya_events.generation.progress import Progress
from jiraiya_events.generation.prompt import PromptTemplate
from jiraiya_events.generation.retry_policy import RetryPolicy
from jiraiya_events.generation.steps import AwaitBreaker, Rejected, Step, TryAgain, Written
from jiraiya_events.generation.turn import Turn

_UNMODERATED = Safety(input_checked=False, output_checked=False)


@dataclass(frozen=True, slots=True)
class GeneratorOptions:
    """`timeout_s` bounds one call; without `max_output_tokens` the model's own limit holds."""

    default_model: str
    timeout_s: float = 60.0
    max_output_tokens: int | None = None


class Generator:
    """Turns requests into stories, one step at a time."""

    def __init__(  # noqa: PLR0913 - the ports of this layer
        self,
        *,
        model: ModelPort,
        store: ResultStore,
        prices: PriceList,
        breakers: Breakers,
        gate: Gate,
        retry: RetryPolicy,
        options: GeneratorOptions,
        clock: Clock,
        observer: CallObserver | None = None,
        template: PromptTemplate | None = None,
    ) -> None:
        self._store = store
        self._breakers = breakers
        self._gate = gate
        self._retry = retry
        self._options = options
        self._clock = clock
        self._observer = observer or CallObserver()
        self._template = template or PromptTemplate()
        breakers.watch(lambda breaker, _, new: self._observer.breaker_changed(breaker.name, new))
        self._call = OneCall(
            model=model,
            gate=gate,
            prices=prices,
            clock=clock,
            observer=self._observer,
            timeout_s=options.timeout_s,
        )

    async def attempt(
        self,
        request: StoryRequested,
        identity: RequestIdentity,
        fingerprint: str,
        progress: Progress,
        *,
        deadline: float,
        paid: PaidAnswer | None,
        busy: bool = False,
    ) -> Step:
        """Return the story, the end, or what to wait for; `progress` is updated in place.

        `deadline` is in seconds since the Unix epoch. `paid` is an answer whose outcome is not
        stored, after a crash or at a replay; it is looked at once per `progress`. While the
        request is `busy`, another turn's call for it may be under way and none is made here.
        """
        model = request.model or self._options.default_model
        breaker = self._breakers.of(model)
        turn = Turn(request, identity, fingerprint, progress, deadline, model, breaker)
        if paid is not None and not progress.recovered:
            step = self._recover(turn, paid)
            if step is not None:
                return step
        if progress.withdrawal.message is not None and not busy:
            return _withdrawn(turn, progress.withdrawal.message)
        step = await self._call_or_wait(turn, busy=busy)
        if progress.withdrawal.message is not None and isinstance(step, TryAgain | AwaitBreaker):
            return _withdrawn(turn, progress.withdrawal.message)
        return step

    def code_at_deadline(
        self, progress: Progress, deadline: float, model: str | None = None
    ) -> ErrorCode:
        """Return what held a request at the instant of its deadline, also when asked later."""
        if progress.held_by is not None and progress.parked_on is None:
            return progress.held_by
        name = progress.parked_on or model or self._options.default_model
        breaker = self._breakers.of(name)
        return breaker.outages.code_at(deadline) or ErrorCode.DEADLINE_EXCEEDED

    async def _call_or_wait(self, turn: Turn, *, busy: bool) -> Step:
        now = self._clock.now()
        turn.breaker.tick(now)
        turn.progress.give_back(turn.breaker.outages)
        if now >= turn.deadline:
            return self._late(turn)
        if busy:
            return consequences.behind_another_turn(turn, now)
        permit = turn.breaker.allow(now)
        if permit is None:
            code = turn.breaker.opened_code or ErrorCode.PROVIDER_UNAVAILABLE
            turn.progress.wait_out(code, parked_on=turn.breaker.name)
            return AwaitBreaker(code, turn.breaker.name)
        wait_s = self._gate.admit(turn.model, now)
        if wait_s > 0:
            permit.release(now)
            return consequences.after_limit(turn, now, wait_s)
        if turn.breaker.state is State.CLOSED and turn.progress.tries == 0:
            # Whatever this request was waiting out is over.
            turn.progress.wait_out(None)
        try:
            return await self._step(turn, permit)
        finally:
            permit.release(now)
            self._gate.leave(turn.model)

    async def _step(self, turn: Turn, permit: Permit) -> Step:
        prompt = self._template.render(turn.request)
        called = await self._call.make(turn, prompt, permit, self._output_tokens(turn))
        if isinstance(called, Cut):
            message = turn.progress.withdrawal.message
            return self._late(turn) if message is None else _withdrawn(turn, message)
        if isinstance(called, Answered):
            step = await self._take(turn, called)
        else:
            step = self._after(turn, called)
        return consequences.within_deadline(turn, self._clock.now(), step)

    async def _take(self, turn: Turn, called: Answered) -> Step:
        answer = called.answer
        await self._save(turn, answer)
        story = _judge(answer, turn.request)
        if isinstance(story, Story):
            return _written(story, answer, self._template.version, Source.MODEL)
        verdict = classification.of_flaw(story)
        if story is Flaw.NO_FINISH_REASON:
            return self._after(turn, Failed(verdict, called.failure, 0.0))
        return consequences.after_flaw(turn, verdict, self._retry)

    def _after(self, turn: Turn, called: Failed) -> Step:
        if called.verdict.retry is Retry.AFTER_RETRY_AFTER:
            now = self._clock.now()
            return consequences.after_limit(turn, now, self._gate.admit(turn.model, now))
        return consequences.after_failure(
            turn,
            called.verdict,
            called.failure,
            self._retry,
            retry_after_s=called.retry_after_s,
        )

    def _recover(self, turn: Turn, paid: PaidAnswer) -> Step | None:
        """Use an answer that is paid for already; None when the model has to be asked."""
        progress = turn.progress
        progress.recovered = True
        same_attempt = paid.attempt == turn.identity.attempt
        if same_attempt:
            progress.take_over(paid.calls, paid.usage, paid.cost_pico_usd)
        story = _judge(paid, turn.request)
        if isinstance(story, Story):
            return _written(story, paid, paid.prompt_version, Source.RESULT_STORE)
        if not same_attempt:
            return None
        step = consequences.after_flaw(turn, classification.of_flaw(story), self._retry)
        return step if isinstance(step, Rejected) else None

    async def _save(self, turn: Turn, answer: ModelAnswer) -> None:
        """Keep the answer before anything can reject it; a request never fails over this."""
        progress = turn.progress
        progress.recovered = True
        paid = PaidAnswer(
            text=answer.text,
            form=answer.form,
            finish_reason=answer.finish_reason,
            refusal=answer.refusal,
            model=answer.model,
            provider=answer.provider,
            prompt_version=self._template.version,
            attempt=turn.identity.attempt,
            calls=progress.calls,
            usage=progress.usage,
            cost_pico_usd=progress.cost_pico_usd,
        )
        user_id = turn.request.user_id
        try:
            await self._store.save_answer(turn.identity, turn.fingerprint, user_id, paid)
        except StoreUnavailable as error:
            self._observer.store_failed("save_answer", str(error))

    def _output_tokens(self, turn: Turn) -> int | None:
        limit = self._options.max_output_tokens
        return limit * 2 if limit and Repair.EXTENDED in turn.progress.repairs else limit

    def _late(self, turn: Turn) -> Rejected:
        code = self.code_at_deadline(turn.progress, turn.deadline, turn.model)
        if code is ErrorCode.DEADLINE_EXCEEDED:
            return Rejected(code, "The story was not written before its deadline.", Stage.GENERATE)
        message = "The deadline passed while the model provider was failing."
        return Rejected(code, message, Stage.GENERATE)


def _withdrawn(turn: Turn, message: str) -> Rejected:
    """Return the end of a withdrawn request; it was only admitted if it never came to a call."""
    progress = turn.progress
    generating = progress.calls > 0 or progress.held_by is not None
    stage = Stage.GENERATE if generating else Stage.ADMIT
    return Rejected(ErrorCode.CANCELLED, message, stage)


def _judge(answer: ModelAnswer | PaidAnswer, request: StoryRequested) -> Story | Flaw:
    draft = read_answer(answer)
    return draft if isinstance(draft, Flaw) else check(draft, request)


def _written(
    story: Story, answer: ModelAnswer | PaidAnswer, prompt_version: str, source: Source
) -> Written:
    return Written(story, answer.model, answer.provider, prompt_version, source, _UNMODERATED)
