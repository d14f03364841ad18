"""From what happened to a request to the payload of its terminal event."""

from dataclasses import replace

from jiraiya_events.contract.envelope import Envelope
from jiraiya_events.contract.requests import echoed_metadata
from jiraiya_events.domain.codes import POLICIES, ErrorCode, Stage
from jiraiya_events.domain.errors import RequestFailure
from jiraiya_events.domain.outcome import Failure, Outcome, Source, StoryFailed, StoryGenerated
from jiraiya_events.domain.story import Cost, Timings
from jiraiya_events.generation.progress import Progress
from jiraiya_events.generation.steps import Rejected, Written
from jiraiya_events.handlers.case import Case

NOTHING_USED = Progress()
NOT_KNOWN = Progress(cost_pico_usd=None, billed=None)

OUR_FAULT = "The service failed while it worked on this request. It was kept for an operator."
LETHAL = (
    "The service broke down several times while it worked on this request alone. "
    "It was kept for an operator."
)


def generated(case: Case, written: Written, now: float) -> StoryGenerated:
    """Return the outcome of a request that became a story."""
    progress = case.progress
    return StoryGenerated(
        request_id=case.envelope.identity.id,
        user_id=case.request.user_id,
        story=written.story,
        model=written.model,
        provider=written.provider,
        prompt_version=written.prompt_version,
        usage=progress.usage,
        cost=_cost(progress),
        attempt=case.envelope.identity.attempt,
        tries=progress.calls,
        source=written.source,
        timings=timings(case.envelope, case.started_at, case.progress.calling_s, now),
        safety=written.safety,
        metadata=case.request.metadata,
    )


def rejected(case: Case, step: Rejected) -> StoryFailed:
    """Return the outcome of a request that generation gave up."""
    failure = RequestFailure(
        step.code, step.message, stage=step.stage, retry_after_ms=step.retry_after_ms
    )
    return failed(case.envelope, failure, case.progress)


def failed(
    envelope: Envelope, failure: RequestFailure, progress: Progress = NOTHING_USED
) -> StoryFailed:
    """Return the outcome of a request that cannot become a story."""
    dead = is_dead_lettered(envelope, failure.code)
    return StoryFailed(
        request_id=envelope.request_id,
        user_id=envelope.user_id,
        error=Failure(
            code=failure.code,
            message=failure.message,
            retryable=POLICIES[failure.code].retryable,
            stage=failure.stage,
            retry_after_ms=failure.retry_after_ms,
        ),
        attempt=envelope.identity.attempt,
        tries=progress.calls,
        billed=progress.billed,
        usage=progress.usage,
        # Zero would say that nothing was charged.
        cost=None if progress.billed is None else _cost(progress),
        dead_lettered=dead,
        dlq_reference=reference(envelope) if dead else None,
        metadata=echoed_metadata(envelope),
    )


def crashed(envelope: Envelope, used: Progress | None) -> StoryFailed:
    """Return the outcome of a request on which our own code failed.

    `used` is what its tries had used, None when it was not even admitted. A bug after a call may
    have come before its bill was noted, so "not billed" is no longer known then.
    """
    failure = RequestFailure(ErrorCode.INTERNAL, OUR_FAULT, stage=Stage.INTERNAL)
    if used is None or not used.calls:
        return failed(envelope, failure)
    if used.billed:
        return failed(envelope, failure, used)
    return failed(envelope, failure, replace(used, billed=None, cost_pico_usd=None))


def lethal(envelope: Envelope) -> StoryFailed:
    """Return the outcome of a request that ended the process each time it was worked on."""
    failure = RequestFailure(ErrorCode.INTERNAL, LETHAL, stage=Stage.INTERNAL)
    return failed(envelope, failure, NOT_KNOWN)


def republished(outcome: Outcome, envelope: Envelope, started_at: float, now: float) -> Outcome:
    """Return a stored outcome as it is published again: only source and timings are new."""
    if isinstance(outcome, StoryFailed):
        return outcome
    return outcome.model_copy(
        update={
            "source": Source.RESULT_STORE,
            "timings": timings(envelope, started_at, 0.0, now),
        }
    )


def is_dead_lettered(envelope: Envelope, code: ErrorCode) -> bool:
    """Tell whether this failure goes to the dead-letter topic; a replay's always does."""
    return POLICIES[code].dead_letter or envelope.replayed


def reference(envelope: Envelope) -> str:
    """Return how operators name this request's dead letter."""
    return f"{envelope.topic}/{envelope.partition}/{envelope.offset}"


def timings(envelope: Envelope, started_at: float, calling_s: float, now: float) -> Timings:
    """Return whole milliseconds; a record of the future, or of no time, has waited for none."""
    came = envelope.timestamp_ms / 1000 if envelope.timestamp_ms >= 0 else started_at
    return Timings(
        queued_ms=max(0, round((started_at - came) * 1000)),
        generation_ms=max(0, round(calling_s * 1000)),
        total_ms=max(0, round((now - came) * 1000)),
    )


def _cost(progress: Progress) -> Cost | None:
    pico = progress.cost_pico_usd
    return None if pico is None else Cost.from_pico_usd(pico)
