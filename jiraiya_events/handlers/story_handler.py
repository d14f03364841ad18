"""The handler of `story.requested`: one turn of one record, from its bytes to a verdict.

A turn ends with the terminal event, or with what the lane should wait for. What a record has
used so far stays in `Work.memory`, so that a later turn goes on where the last one stopped. Each
begins with a look-up that claims the request's lease, and ends it: between two turns the request
may be finished by whoever owns its partition by then.
"""

from contextlib import AbstractContextManager
from dataclasses import replace

import structlog

from jiraiya_events.contract.deadline import deadline_of
from jiraiya_events.contract.envelope import Envelope, read_envelope
from jiraiya_events.contract.requests import read_request
from jiraiya_events.contract.trace import TraceContext
from jiraiya_events.domain.clock import Clock
from jiraiya_events.domain.codes import ErrorCode, Stage
from jiraiya_events.domain.errors import RequestFailure
from jiraiya_events.domain.outcome import Outcome, StoryFailed
from jiraiya_events.domain.request import StoryRequested
from jiraiya_events.engine.errors import Lethal
from jiraiya_events.engine.verdicts import Done, Park, Retry, Verdict, Work
from jiraiya_events.generation.generator import Generator
from jiraiya_events.generation.ports import Stored
from jiraiya_events.generation.progress import Progress
from jiraiya_events.generation.steps import (
    AwaitBreaker,
    Rejected,
    Step,
    TryAgain,
    UnderWay,
    Written,
)
from jiraiya_events.handlers import outcomes
from jiraiya_events.handlers.admission import Memory, fingerprint_of
from jiraiya_events.handlers.cancellations import Cancellations
from jiraiya_events.handlers.case import Case
from jiraiya_events.handlers.ending import Ending
from jiraiya_events.handlers.outputs import Publication
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
        cancellations: Cancellations | None = None,
    ) -> None:
        self._generator = generator
        self._memory = memory
        self._tracer = tracer
        self._clock = clock
        self._rules = rules
        self._cancellations = cancellations or Cancellations()

    async def handle(self, work: Work) -> Verdict:
        """Give a record its turn."""
        envelope = self._envelope(work)
        with self._span(envelope) as span, bound_context(envelope):
            settled = await self._advance(work, envelope)
            if isinstance(settled, Retry | Park):
                return settled
            return self._publish(work, envelope, settled, span)

    def crashed(self, work: Work, error: Exception) -> Done:
        """End a record on which our own code failed: `internal`, and a dead letter."""
        if isinstance(error, Lethal):
            return self._give_up(work, error)
        envelope = self._envelope(work)
        used = work.memory.progress if isinstance(work.memory, Case) else None
        with self._span(envelope) as span, bound_context(envelope):
            log.error("our own code failed on a record", exc_info=error)
            return self._publish(work, envelope, outcomes.crashed(envelope, used), span)

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

    async def _advance(self, work: Work, envelope: Envelope) -> Outcome | Retry | Park:
        known = work.memory if isinstance(work.memory, Case) else None
        print_ = known.fingerprint if known else fingerprint_of(envelope, work.record.value)
        try:
            case = known or self._open(work, envelope, print_)
            return await self._take_turn(work, case)
        except RequestFailure as failure:
            return await self._refuse(envelope, failure, print_)

    # decode, validate

    def _open(self, work: Work, envelope: Envelope, print_: str) -> Case:
        request = self._read(envelope)
        now = self._clock.now()
        watched = self._cancellations.watch(envelope, work.record, now)
        return Case(
            envelope=envelope,
            request=request,
            fingerprint=print_,
            deadline=deadline_of(envelope, request, self._rules.default_deadline_s, now),
            started_at=now,
            lease=self._memory.lease(envelope),
            watched=watched,
            progress=Progress.of_former_owner(work.tries, watched.withdrawal),
        )

    def _read(self, envelope: Envelope) -> StoryRequested:
        request = read_request(envelope)
        if request.model is not None and request.model not in self._rules.allowed_models:
            message = "model: not on this service's list of models"
            raise RequestFailure(ErrorCode.INVALID_EVENT, message, stage=Stage.VALIDATE)
        return request

    async def _refuse(self, envelope: Envelope, failure: RequestFailure, print_: str) -> Outcome:
        """End a request that is not worth a call; its outcome is stored like any other.

        One without an id of its own cannot be sent again under it, so nothing is looked up.
        """
        outcome: Outcome = outcomes.failed(envelope, failure)
        if failure.code is ErrorCode.DUPLICATE_CONFLICT or envelope.anonymous:
            return outcome
        try:
            stored = await self._memory.recall(envelope, print_)
        except RequestFailure as conflict:
            return outcomes.failed(envelope, conflict)
        return stored.outcome or await self._memory.keep(envelope, print_, outcome)

    # admit

    async def _take_turn(self, work: Work, case: Case) -> Outcome | Retry | Park:
        envelope, print_, lease = case.envelope, case.fingerprint, case.lease
        async with self._memory.turn(lease):
            stored = await self._memory.recall(envelope, print_, lease)
            if stored.outcome is not None:
                now = self._clock.now()
                return outcomes.republished(stored.outcome, envelope, case.started_at, now)
            work.memory = case
            step = await self._generate(work, case, stored)
            now = self._clock.now()
            if isinstance(step, TryAgain | UnderWay):
                return Retry(step.after_s)
            if isinstance(step, AwaitBreaker):
                return Park(max(0.0, case.deadline - now), step.breaker)
            return await self._memory.keep(envelope, print_, self._outcome(case, step, now), lease)

    # generate

    async def _generate(self, work: Work, case: Case, stored: Stored) -> Step:
        started = self._clock.now()
        step = await self._generator.attempt(
            case.request,
            case.envelope.identity,
            case.fingerprint,
            case.progress,
            deadline=case.deadline,
            paid=stored.answer,
            busy=stored.busy,
        )
        case.generating_s += self._clock.now() - started
        work.tries = case.progress.tries
        if isinstance(step, TryAgain):
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
        ending = self._ending(work, outcome, now)
        if isinstance(outcome, StoryFailed):
            span.set_error(ending.code)
            log.warning("story failed", code=ending.code, stage=outcome.error.stage)
        return Done(publication.outputs(self._rules), ending)

    @staticmethod
    def _ending(work: Work, outcome: Outcome, now: float) -> Ending:
        case = work.memory
        overhead = now - case.started_at - case.generating_s if isinstance(case, Case) else None
        if isinstance(outcome, StoryFailed):
            code = outcome.error.code.value
            return Ending("failed", code, overhead, outcome.dead_lettered)
        return Ending("generated", "none", overhead, dead_lettered=False)


def bound_context(envelope: Envelope) -> AbstractContextManager[None]:
    """Put on every log line in here whose request it is about."""
    return structlog.contextvars.bound_contextvars(
        correlation_id=envelope.correlation_id,
        request_id=envelope.identity.id,
        topic=envelope.topic,
        partition=envelope.partition,
        offset=envelope.offset,
    )
