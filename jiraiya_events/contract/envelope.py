"""A record's envelope: who asked, what for, until when, and what is wrong with it, if anything."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from jiraiya_events.contract.attributes import Attributes
from jiraiya_events.contract.body import Body, read_body
from jiraiya_events.contract.event_types import SPEC_VERSION, EventType
from jiraiya_events.contract.headers import Headers
from jiraiya_events.contract.naming import name_record, readable
from jiraiya_events.contract.record import RecordLike
from jiraiya_events.contract.rfc3339 import parse_rfc3339
from jiraiya_events.contract.trace import TraceContext, read_trace
from jiraiya_events.domain.codes import ErrorCode, Stage
from jiraiya_events.domain.errors import RequestFailure
from jiraiya_events.domain.identity import RequestIdentity

_USER_CHARACTERS: Final = 128
_CORRELATION_CHARACTERS: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Everything the headers and the frame of an event say, read without ever failing.

    `problem` is set when the event cannot be handled; identity, correlation and position are
    there all the same, so that its `story.failed` can be published. `anonymous` means that the
    event has no usable id of its own: a replay must carry `identity.id` in `x-replay-id`.
    `expiry` is in seconds since the Unix epoch, `timestamp_ms` the record's.
    """

    identity: RequestIdentity
    anonymous: bool
    request_id: str | None
    user_id: str | None
    type: EventType
    correlation_id: str
    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    expiry: float | None
    trace: TraceContext
    passed_on: tuple[tuple[str, str], ...]
    edited: bool
    payload: Mapping[str, object] | None
    problem: RequestFailure | None

    @property
    def causation_id(self) -> str:
        """The request's id, whatever it was."""
        return self.identity.id

    @property
    def unread(self) -> bool:
        """Whether the value was too large to tell whose it is, or what it is about."""
        too_large = self.problem is not None and self.problem.code is ErrorCode.PAYLOAD_TOO_LARGE
        return too_large and self.payload is None

    @property
    def replayed(self) -> bool:
        """Whether this is a replay of a dead letter."""
        return self.identity.attempt > 1

    def forget_payload(self, metadata: Mapping[str, str]) -> None:
        """Keep of the payload, if there is one, only what a failure echoes, once it was read.

        In place, since a copy would leave the whole in the frames of turns under way: parsed, a
        payload takes ten times the memory of its bytes and more, and only bytes are bounded.
        """
        if self.payload is not None:
            object.__setattr__(self, "payload", {"metadata": dict(metadata)})


def read_envelope(
    record: RecordLike, *, max_event_bytes: int, expected: EventType = EventType.REQUESTED
) -> Envelope:
    """Read any record of a topic that carries `expected` events; never raises."""
    headers = Headers(record.headers)
    body = read_body(record.value, headers.get("content-type"), max_event_bytes)
    attributes = Attributes(headers, body.attributes)
    naming = name_record(record, attributes, body.payload, expected)
    replayed = naming.identity.attempt > 1
    expiry, expiry_fault = _expiry(attributes, replayed=replayed)
    fault = naming.fault or expiry_fault
    return Envelope(
        identity=naming.identity,
        anonymous=naming.anonymous,
        request_id=naming.request_id,
        user_id=_user(body),
        type=expected,
        correlation_id=_correlation(attributes, body, naming.identity.id),
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        timestamp_ms=record.timestamp_ms,
        expiry=expiry,
        trace=read_trace(attributes),
        passed_on=headers.passed_on(),
        edited=replayed and headers.get("x-replay-edited") is not None,
        payload=body.payload,
        problem=_problem(body, attributes, expected, fault),
    )


def _problem(
    body: Body, attributes: Attributes, expected: EventType, fault: str | None
) -> RequestFailure | None:
    """Return the first that applies: too large, of an unknown schema, undecodable, faulty."""
    if body.problem is not None and body.problem.code is ErrorCode.PAYLOAD_TOO_LARGE:
        return body.problem
    unsupported = _unsupported(attributes, expected)
    if unsupported is not None:
        return RequestFailure(ErrorCode.UNSUPPORTED_SCHEMA, unsupported, stage=Stage.DECODE)
    if body.problem is not None:
        return body.problem
    if fault is not None:
        return RequestFailure(ErrorCode.INVALID_EVENT, fault, stage=Stage.VALIDATE)
    return None


def _unsupported(attributes: Attributes, expected: EventType) -> str | None:
    version = attributes.get("specversion")
    if attributes.unreadable("specversion") or version not in (None, SPEC_VERSION):
        return f"ce_specversion: only {SPEC_VERSION} is supported"
    kind = attributes.get("type")
    if attributes.unreadable("type") or kind not in (None, expected.value):
        return f"ce_type: only {expected.value} is supported here"
    return None


def _expiry(attributes: Attributes, *, replayed: bool) -> tuple[float | None, str | None]:
    """Read `ce_expirytime`; a replay cannot take it out of a structured body, so there it waits."""
    text = attributes.headers.get("ce_expirytime") if replayed else attributes.get("expirytime")
    if text is None:
        unreadable = not replayed and attributes.unreadable("expirytime")
        return None, "ce_expirytime: must be a string" if unreadable else None
    seconds = parse_rfc3339(text)
    if seconds is None:
        return None, "ce_expirytime: an RFC 3339 date-time since 1970 is needed"
    return seconds, None


def _user(body: Body) -> str | None:
    user = body.payload.get("user_id") if body.payload is not None else None
    return user if isinstance(user, str) and 0 < len(user) <= _USER_CHARACTERS else None


def _correlation(attributes: Attributes, body: Body, request_id: str) -> str:
    """Return the first present and usable: three headers, the payload's field, the id."""
    inner = body.payload.get("correlation_id") if body.payload is not None else None
    headers = attributes.headers
    candidates = (
        attributes.get("correlationid"),
        headers.get("correlation_id"),
        headers.get("x-correlation-id"),
        inner,
    )
    for text in candidates:
        if isinstance(text, str) and text and readable(text, _CORRELATION_CHARACTERS):
            return text
    return request_id
