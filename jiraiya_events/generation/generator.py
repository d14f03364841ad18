"""One attempt at a story: the paid answer, else a model that admits the call, one call, the checks.

Nothing here waits for a retry, a slot or a breaker: the step that is returned says what the lane
should wait for, and `Progress` remembers what the tries have used. One call of `attempt` makes
at most one model call.
"""

from dataclasses import dataclass

from jiraiya_events.domain.clock import Clock
from jiraiya_events.domain.codes import ErrorCode
from jiraiya_events.domain.identity import RequestIdentity
from jiraiya_events.domain.outcome import Source
from jiraiya_events.domain.request import StoryRequested
from jiraiya_events.domain.story import Story
from jiraiya_events.generation import classification, consequences
from jiraiya_events.generation.archive import Archive
from jiraiya_events.generation.backlog import Backlog
from jiraiya_events.generation.bounded_call import Cut
from jiraiya_events.generation.breaker import State
from jiraiya_events.generation.breakers import Breakers
from jiraiya_events.generation.candidates import Chains
from jiraiya_events.generation.choosing import Admitted, Chooser
from jiraiya_events.generation.classification import Flaw, Repair
from jiraiya_events.generation.endings import Endings, withdrawn
from jiraiya_events.generation.judging import judge, written
from jiraiya_events.generation.moderating import Moderator
from jiraiya_events.generation.one_call import Answered, Failed, OneCall
from jiraiya_events.generation.ports import CallObserver, Feed, Gate, ModelPort, PriceList
from jiraiya_events.generation.progress import Progress
from jiraiya_events.generation.prompt_book import PromptBook, output_tokens
from jiraiya_events.generation.purse import Purse
from jiraiya_events.generation.recovery import Recovery
from jiraiya_events.generation.response_cache import ResponseCache
from jiraiya_events.generation.result_store import ResultStore, Stored
from jiraiya_events.generation.retry_policy import RetryPolicy
from jiraiya_events.generation.review import Review
from jiraiya_events.generation.safety.moderation import Moderation
from jiraiya_events.generation.spending import Spending
from jiraiya_events.generation.steps import (
    AwaitBreaker,
    AwaitSlot,
    AwaitStore,
    Step,
    TryAgain,
    Written,
)
from jiraiya_events.generation.turn import Turn


@dataclass(frozen=True, slots=True)
class GeneratorOptions:
    """`timeout_s` bounds one call; `max_output_tokens` an answer, else the story's length does."""

    timeout_s: float = 60.0
    max_output_tokens: int | None = None


class Generator:
    """Turns requests into stories, one step at a time."""

    def __init__(  # noqa: PLR0913 - the ports of this layer
        self,
        *,
        model: ModelPort,
        chains: Chains,
        store: ResultStore,
        prices: PriceList,
        breakers: Breakers,
        gate: Gate,
        retry: RetryPolicy,
        options: GeneratorOptions,
        clock: Clock,
        observer: CallObserver | None = None,
        backlog: Backlog | None = None,
        book: PromptBook | None = None,
        spending: Spending | None = None,
        cache: ResponseCache | None = None,
        moderation: Moderation | None = None,
    ) -> None:
        self._chains = chains
        self._breakers = breakers
        self._gate = gate
        self._retry = retry
        self._options = options
        self._clock = clock
        self._book = book or PromptBook()
        observer = observer or CallObserver()
        backlog = backlog or Backlog(observer)
        self._archive = Archive(store, cache, observer, backlog)
        self._purse = Purse(spending, prices, clock, observer, backlog)
        self._chooser = Chooser(breakers, gate, self._purse, self._answer_limit, clock)
        self._endings = Endings(breakers, gate, chains)
        moderator = None
        if moderation is not None:
            moderator = Moderator(moderation, breakers, retry, clock, observer)
        self._review = Review(moderator, self._endings)
        self._recovery = Recovery(self._archive, self._review, self._flawed)
        self._call = OneCall(
            model=model,
            gate=gate,
            prices=prices,
            clock=clock,
            observer=observer,
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
        stored: Stored,
        feed: Feed | None = None,
    ) -> Step:
        """Return the story, the end, or what to wait for; `progress` is updated in place.

        `deadline` is in seconds since the Unix epoch. `stored` may have an answer whose outcome
        is not stored, after a crash or at a replay; it is looked at once per `progress`. While
        the request is busy, another turn's call for it may be under way and none is made here.
        `feed` hears the story while it is written.
        """
        chain = self._chains.of(request.model)
        turn = Turn(
            request=request,
            identity=identity,
            fingerprint=fingerprint,
            progress=progress,
            deadline=deadline,
            prompt=self._book.render(request),
            chain=chain,
            candidate=chain[0],
            breaker=self._breakers.of(chain[0].name),
            feed=feed,
        )
        step = await self._advance(turn, stored)
        return consequences.within_deadline(turn, self._clock.now(), step)

    def code_at_deadline(
        self, progress: Progress, deadline: float, model: str | None = None
    ) -> ErrorCode:
        """Return what held a request at the instant of its deadline, also when asked later."""
        return self._endings.code_at_deadline(progress, deadline, model)

    async def _advance(self, turn: Turn, stored: Stored) -> Step:
        step: Step | None = None
        if stored.answer is not None and not turn.progress.recovered:
            step = await self._recovery.own(turn, stored.answer)
        if step is None:
            end = withdrawn(turn)
            if end is not None and not stored.busy:
                return end
            step = await self._write_or_wait(turn, busy=stored.busy)
        # It may have been withdrawn meanwhile; a wait would only put off its end.
        return (withdrawn(turn) or step) if isinstance(step, _WAITS) else step

    async def _write_or_wait(self, turn: Turn, *, busy: bool) -> Step:
        progress = turn.progress
        now = self._clock.now()
        if now >= turn.deadline:
            return self._endings.late(turn)
        waited_for, progress.queued_for = progress.queued_for, None
        if busy:
            return consequences.behind_another_turn(turn, now)
        if progress.unreleased is not None:
            return await self._review.release(turn, progress.unreleased)
        step = await self._review.request(turn) or await self._recovery.shared(turn)
        return step or await self._ask(turn, waited_for)

    async def _ask(self, turn: Turn, waited_for: str | None) -> Step:
        chosen = await self._chooser.choose(turn, waited_for)
        if isinstance(chosen, AwaitSlot):
            turn.progress.queued_for = chosen.model
        if not isinstance(chosen, Admitted):
            return chosen
        # The cache and the budget may have taken a while to answer.
        if withdrawn(turn) is not None or self._clock.now() >= turn.deadline:
            await self._chooser.give_up(chosen)
            return self._endings.cut_short(turn)
        return await self._write(chosen)

    async def _write(self, admitted: Admitted) -> Step:
        turn, permit = admitted.turn, admitted.permit
        if turn.breaker.state is State.CLOSED and turn.progress.tries == 0:
            # Whatever this request was waiting out is over.
            turn.progress.wait_out(None)
        if turn.progress.calls == 0:
            self._retry.budget.called(permit.started_at)
        try:
            called = await self._call.make(turn, permit, admitted.output_tokens)
        finally:
            now = self._clock.now()
            permit.release(now)
            self._gate.leave(turn.model, now)
        if isinstance(called, Cut):
            return self._endings.cut_short(turn)
        if isinstance(called, Answered):
            # First of all: it is paid for.
            await self._archive.keep(turn, called.answer)
        await self._purse.settle(admitted.reservation, called)
        if isinstance(called, Answered):
            return await self._take(turn, called)
        return self._after(turn, called)

    async def _take(self, turn: Turn, called: Answered) -> Step:
        judged = judge(called.answer, turn)
        if isinstance(judged, Story):
            source = Source.MODEL if turn.candidate is turn.chain[0] else Source.FALLBACK
            story = written(judged, called.answer, turn.prompt.version, source)
            step = await self._review.release(turn, story)
            if isinstance(step, Written):
                await self._archive.share(turn, called.answer)
            return step
        if judged is Flaw.NO_FINISH_REASON:
            verdict = classification.of_flaw(judged)
            return self._after(turn, Failed(verdict, called.failure, 0.0))
        return self._flawed(turn, judged)

    def _after(self, turn: Turn, called: Failed) -> Step:
        step = consequences.after_failure(
            turn,
            called.verdict,
            called.failure,
            self._retry,
            retry_after_s=called.retry_after_s,
        )
        return self._chooser.or_another(turn, called.verdict, step)

    def _flawed(self, turn: Turn, flaw: Flaw) -> Step:
        verdict = classification.of_flaw(flaw)
        step = consequences.after_flaw(turn, verdict, self._retry, self._clock.now())
        return self._chooser.or_another(turn, verdict, step)

    def _answer_limit(self, turn: Turn) -> int:
        """Return the most tokens the next answer may have; more after one was cut off.

        Never more than the setting allows, where there is one.
        """
        if self._options.max_output_tokens is not None:
            return self._options.max_output_tokens
        limit = output_tokens(turn.request)
        return limit * 2 if Repair.EXTENDED in turn.used.repairs else limit


_WAITS = (TryAgain, AwaitBreaker, AwaitSlot, AwaitStore)
