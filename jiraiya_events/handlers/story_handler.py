"""The handler of `story.requested`: one turn of one record, from its bytes to a verdict.

A turn ends with the terminal event, or with what the lane should wait for. What a record has
used so far stays in `Work.memory`, so that a later turn goes on where the last one stopped. Each
begins with a look-up that claims the request's lease, and ends it: between two turns the request
may be finished by whoever owns its partition by then.
"""

from contextlib import AbstractContextManager
from dataclasses import replace

import structlog

from jiraiya_events.contract.envelope import Envelope, read_envelope
from jiraiya_events.contract.trace import TraceContext
from jiraiya_events.domain.clock import Clock
from jiraiya_events.domain.codes import ErrorCode
from jiraiya_events.domain.errors import RequestFailure
from jiraiya_events.domain.outcome import Outcome, StoryFailed
from jiraiya_events.engine.errors import Lethal
from jiraiya_events.engine.verdicts import Done, Park, Retry, Verdict, Work
from jiraiya_events.generation.generator import Generator
from jiraiya_events.generation.result_store import Stored
from jiraiya_events.generation.steps import (
    AwaitBreaker,
    AwaitSlot,
    AwaitStore,
    Rejected,
    Step,
    TryAgain,
    UnderWay,
    Written,
)
from jiraiya_events.handlers import outcomes
from jiraiya_events.handlers.admission import Memory, fingerprint_of
from jiraiya_events.handlers.case import Case
from jiraiya_events.handlers.ending import Ending
from jiraiya_events.handlers.limiting import Limiting
from jiraiya_events.handlers.opening import Opening
from jiraiya_events.handlers.outputs import Publication
from jiraiya_events.handlers.places import place_of
from jiraiya_events.handlers.rules import Rules
from jiraiya_events.handlers.tracing import RecordSpan, Tracer

log = structlog.get_logger(__name__)


class StoryHandler:
    """The engine's handler; see `engine.ports.Handler`."""

    def __init__(
        self,
        generator: Generator,
        memory: Memory,
        tracer: Tracer,
        clock: Clock,
        rules: Rules,
        opening: Opening,
        limiting: Limiting | None = None,
    ) -> None:
        self._generator = generator
        self._memory = memory
        self._tracer = tracer
        self._clock = clock
        self._rules = rules
        self._limiting = limiting
        self._opening = opening

    async def handle(self, work: Work) -> Verdict:
        """Give a record its turn."""
        began = self._clock.now()
        envelope = self._envelope(work)
        with self._span(envelope) as span, bound_context(envelope):
            settled = await self._advance(work, envelope, span)
            if isinstance(work.memory, Case):
                work.memory.turned(began, self._clock.now())
            if isinstance(settled, Retry | Park):
                return settled
            return self._publish(work, envelope, settled, span)

    def crashed(self, work: Work, error: Exception) -> Done:
        """End a record that `handle` could not: `internal`, a dead letter, nothing stored."""
        if isinstance(error, Lethal):
            return self._give_up(work, error)
        envelope = self._envelope(work)
        with self._span(envelope) as span, bound_context(envelope):
            return self._publish(work, envelope, _crash(work, envelope, error), span)

    def _give_up(self, work: Work, error: Lethal) -> Done:
        """End a record that kills the process; if need be, from its headers alone."""
        record = work.record
        readable = replace(record, value=None) if error.unread else record
        envelope = read_envelope(readable, max_event_bytes=self._rules.max_event_bytes)
        with self._span(envelope) as span, bound_context(envelope):
            log.error("a record was given up: the process kept dying while it alone was handled")
            outcome = outcomes.lethal(envelope)
            return self._publish(work, envelope, outcome, span, unread=error.unread)

    def _span(self, envelope: Envelope) -> AbstractContextManager[RecordSpan]:
        return self._tracer.record_span(
            topic=envelope.topic,
            partition=envelope.partition,
            offset=envelope.offset,
            traceparent=envelope.trace.traceparent,
            tracestate=envelope.trace.tracestate,
        )

    def _envelope(self, work: Work) -> Envelope:
        if isinstance(work.memory, Case):
            return work.memory.envelope
        return read_envelope(work.record, max_event_bytes=self._rules.max_event_bytes)

    async def _advance(
        self, work: Work, envelope: Envelope, span: RecordSpan
    ) -> Outcome | Retry | Park:
        known = work.memory if isinstance(work.memory, Case) else None
        print_ = known.fingerprint if known else fingerprint_of(envelope, work.record.value)
        try:
            trace = TraceContext(span.traceparent, span.tracestate)
            case = known or self._opening.open(work, envelope, print_, trace)
            return await self._take_turn(work, case)
        except RequestFailure as failure:
            if failure.fields:
                log.warning("a request breaks the schema", fields=failure.fields)
            outcome = outcomes.failed(envelope, failure)
        except Exception as error:  # noqa: BLE001 - a bug's outcome is stored like any other
            outcome = _crash(work, envelope, error)
        return await self._end(envelope, print_, outcome)

    async def _end(self, envelope: Envelope, print_: str, outcome: StoryFailed) -> Outcome:
        """End a request before its time: as it has ended already, else with `outcome`, stored.

        One without an id of its own cannot be sent again under it, so nothing is looked up; nor is
        it for one whose body was not read, which would claim a fingerprint that no replay has.
        """
        envelope.forget_payload(outcome.metadata)
        nameless = envelope.anonymous or envelope.unread
        if outcome.error.code is ErrorCode.DUPLICATE_CONFLICT or nameless:
            return outcome
        try:
            stored = await self._memory.recall(envelope, print_)
        except RequestFailure as conflict:
            return outcomes.failed(envelope, conflict)
        if stored.outcome is None:
            return await self._memory.keep(envelope, print_, outcome)
        now = self._clock.now()
        return outcomes.republished(stored.outcome, envelope, now, now)

    # admit

    async def _take_turn(self, work: Work, case: Case) -> Outcome | Retry | Park:
        envelope, print_, lease = case.envelope, case.fingerprint, case.lease
        async with self._memory.turn(lease):
            stored = await self._memory.recall(envelope, print_, lease)
            if stored.outcome is not None:
                now = self._clock.now()
                return outcomes.republished(stored.outcome, envelope, case.started_at, now)
            if work.memory is None and stored.known and not envelope.replayed:
                # Looked up before by somebody else: who may have called, and was cut.
                case.progress.doubt_billing()
            work.memory = case
            if self._limiting is not None and not self._is_over(case):
                await self._limiting.admit(case, stored)
            step = await self._generate(work, case, stored)
            now = self._clock.now()
            if isinstance(step, TryAgain | AwaitStore | UnderWay):
                return Retry(step.after_s)
            if isinstance(step, AwaitBreaker | AwaitSlot):
                return Park(max(0.0, case.deadline - now), place_of(step))
            return await self._memory.keep(envelope, print_, self._outcome(case, step, now), lease)

    def _is_over(self, case: Case) -> bool:
        withdrawn = case.progress.withdrawal.message is not None
        return withdrawn or self._clock.now() >= case.deadline

    # generate

    async def _generate(self, work: Work, case: Case, stored: Stored) -> Step:
        case.progress.count_elsewhere(work.tries)
        calls = case.progress.calls
        step = await self._generator.attempt(
            case.request,
            case.envelope.identity,
            case.fingerprint,
            case.progress,
            deadline=case.deadline,
            stored=stored,
            feed=case.feed,
        )
        work.tries = case.progress.tries
        if isinstance(step, TryAgain) and case.progress.calls > calls:
            log.info("a try failed; the lane waits", code=step.code, after_s=round(step.after_s, 3))
        return step

    @staticmethod
    def _outcome(case: Case, step: Written | Rejected, now: float) -> Outcome:
        if isinstance(step, Written):
            return outcomes.generated(case, step, now)
        return outcomes.rejected(case, step)

    # outcome

    def _publish(
        self,
        work: Work,
        envelope: Envelope,
        outcome: Outcome,
        span: RecordSpan,
        *,
        unread: bool = False,
    ) -> Done:
        now = self._clock.now()
        trace = TraceContext(span.traceparent, span.tracestate)
        publication = Publication(work.record, envelope, outcome, trace, now, unread)
        ending = self._ending(work, outcome)
        if isinstance(work.memory, Case) and work.memory.feed is not None:
            work.memory.feed.end(_text_of(outcome))
        if isinstance(outcome, StoryFailed):
            span.set_error(ending.code)
            log.warning("story failed", code=ending.code, stage=outcome.error.stage)
        return Done(publication.outputs(self._rules), ending)

    @staticmethod
    def _ending(work: Work, outcome: Outcome) -> Ending:
        case = work.memory
        overhead = case.ours_s if isinstance(case, Case) else None
        if isinstance(outcome, StoryFailed):
            code = outcome.error.code.value
            return Ending("failed", code, overhead, outcome.dead_lettered)
        return Ending("generated", "none", overhead, dead_lettered=False)


def _crash(work: Work, envelope: Envelope, error: Exception) -> StoryFailed:
    """Log a bug of ours, and return how it ends a record."""
    log.error("our own code failed on a record", exc_info=error)
    used = work.memory.progress if isinstance(work.memory, Case) else None
    return outcomes.crashed(envelope, used)


def _text_of(outcome: Outcome) -> str | None:
    return None if isinstance(outcome, StoryFailed) else outcome.story.content


def bound_context(envelope: Envelope) -> AbstractContextManager[None]:
    """Put on every log line in here whose request it is about."""
    return structlog.contextvars.bound_contextvars(
        correlation_id=envelope.correlation_id,
        request_id=envelope.identity.id,
        topic=envelope.topic,
        partition=envelope.partition,
        offset=envelope.offset,
    )
