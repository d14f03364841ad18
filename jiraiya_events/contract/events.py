"""Outputs as they go on the wire: binary CloudEvents with a JSON value."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from pydantic import BaseModel

from jiraiya_events.contract.envelope import Envelope
from jiraiya_events.contract.event_types import SOURCE, SPEC_VERSION, EventType
from jiraiya_events.contract.ids import event_id
from jiraiya_events.contract.rfc3339 import format_rfc3339
from jiraiya_events.contract.trace import TraceContext
from jiraiya_events.domain.outcome import Outcome, StoryGenerated
from jiraiya_events.domain.signals import StoryProgress

CONTENT_TYPE: Final = "application/json"


@dataclass(frozen=True, slots=True)
class EncodedEvent:
    """One record to publish; its key is the request's, byte for byte."""

    type: EventType
    headers: tuple[tuple[str, bytes], ...]
    value: bytes


def encode_outcome(
    envelope: Envelope,
    outcome: Outcome,
    *,
    now: float,
    trace: TraceContext,
    conflict_body: bytes | None = None,
) -> EncodedEvent:
    """Return the terminal event of a request.

    `now` is in seconds since the epoch, `trace` the place this event has in its trace (it must
    have a `traceparent`), `conflict_body` the value of a request that is a `duplicate_conflict`,
    which gives this outcome an id of its own.
    """
    kind = EventType.GENERATED if isinstance(outcome, StoryGenerated) else EventType.FAILED
    suffix = None if conflict_body is None else sha256(conflict_body).hexdigest()
    name = event_id(envelope.identity, kind, suffix)
    return _encode(envelope, kind, name, outcome, now, trace)


def encode_progress(
    envelope: Envelope, progress: StoryProgress, *, now: float, trace: TraceContext
) -> EncodedEvent:
    """Return one piece of a story that is being written."""
    name = event_id(envelope.identity, EventType.PROGRESS, progress.sequence)
    return _encode(envelope, EventType.PROGRESS, name, progress, now, trace)


def _encode(
    envelope: Envelope,
    kind: EventType,
    name: str,
    payload: BaseModel,
    now: float,
    trace: TraceContext,
) -> EncodedEvent:
    texts = [
        ("content-type", CONTENT_TYPE),
        ("ce_specversion", SPEC_VERSION),
        ("ce_id", name),
        ("ce_source", SOURCE),
        ("ce_type", kind.value),
        ("ce_subject", envelope.request_id),
        ("ce_time", format_rfc3339(now)),
        ("ce_dataschema", kind.schema_id),
        ("ce_correlationid", envelope.correlation_id),
        ("ce_causationid", envelope.causation_id),
        ("ce_sequence", f"{envelope.offset:020d}"),
        ("x-request-partition", str(envelope.partition)),
        ("correlation_id", envelope.correlation_id),
        ("traceparent", trace.traceparent),
        ("tracestate", trace.tracestate),
        *envelope.passed_on,
    ]
    headers = tuple((header, text.encode()) for header, text in texts if text is not None)
    return EncodedEvent(kind, headers, payload.model_dump_json().encode())
