"""The codec for any input: reading never fails, and what is written can be read and validated."""

import json
from dataclasses import dataclass, replace
from functools import cache
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from jiraiya_events.contract.dead_letters import Death, dead_letter_headers
from jiraiya_events.contract.envelope import Envelope, read_envelope
from jiraiya_events.contract.event_types import EventType
from jiraiya_events.contract.events import encode_outcome
from jiraiya_events.contract.examples import EXAMPLES
from jiraiya_events.contract.ids import fingerprint
from jiraiya_events.contract.requests import echoed_metadata, read_request
from jiraiya_events.contract.schemas import event_schema
from jiraiya_events.contract.trace import TraceContext
from jiraiya_events.contract.wire_headers import outgoing_headers
from jiraiya_events.domain.codes import ErrorCode, Stage
from jiraiya_events.domain.errors import RequestFailure
from jiraiya_events.domain.outcome import Failure, StoryFailed, StoryGenerated
from jiraiya_events.domain.story import Usage

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TRACE = TraceContext(PARENT)
DEATH = Death(code=ErrorCode.INTERNAL, message="m", tries=1, failed_at=0.0, service_version="0.1.0")


@dataclass(frozen=True)
class Record:
    """A record of any shape the wire allows."""

    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    topic: str = "story.requested"
    partition: int = 0
    offset: int = 0
    timestamp_ms: int = 0
    key: bytes | None = None


NAMES = st.sampled_from(
    [
        "content-type",
        "ce_specversion",
        "ce_id",
        "ce_source",
        "ce_type",
        "ce_time",
        "ce_expirytime",
        "ce_correlationid",
        "correlation_id",
        "x-correlation-id",
        "traceparent",
        "ce_traceparent",
        "tracestate",
        "x-replay-count",
        "x-replay-id",
        "x-replay-edited",
        "x-dlq-topic",
        "x-tenant",
        "x-other",
        "authorization",
    ]
)
LIKELY = st.sampled_from(
    [b"application/cloudevents+json", b"1.0", b"r", b"1", b"com.kuybi.story.requested.v1",
     b"2026-01-31T12:00:00Z", b"0001-01-01T00:00:00+23:59", b"9999-12-31T23:59:60-23:59",
     PARENT.encode()]
)  # fmt: skip
HEADERS = st.lists(
    st.tuples(NAMES | st.text(max_size=8), st.none() | st.binary(max_size=40) | LIKELY), max_size=12
).map(tuple)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
JSON = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
)
FIELDS = [
    "id",
    "source",
    "type",
    "specversion",
    "data",
    "data_base64",
    "expirytime",
    "correlationid",
    "traceparent",
    "request_id",
    "user_id",
    "keywords",
    "metadata",
    "correlation_id",
    "timeout_ms",
    "language",
    "stream",
]
BODIES = st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=8)
VALUES = (
    st.none()
    | st.binary(max_size=60)
    | (JSON | BODIES | BODIES.map(lambda body: {"data": body, "id": "r"})).map(
        lambda body: json.dumps(body).encode()
    )
)
RECORDS = st.builds(Record, value=VALUES, headers=HEADERS)


def read(record: Record) -> Envelope:
    """Read the record as the service does."""
    return read_envelope(record, max_event_bytes=32768)


def refusal_of(envelope: Envelope) -> RequestFailure | None:
    """Return what reading the request is refused with, if it is."""
    try:
        read_request(envelope)
    except RequestFailure as failure:
        return failure
    return None


@cache
def validator(kind: EventType, *, of_headers: bool = False) -> Draft202012Validator:
    """Return the validator of an output's payload or of its headers."""
    schema = outgoing_headers(kind) if of_headers else event_schema(kind)
    return Draft202012Validator(schema, format_checker=FormatChecker())


@given(RECORDS)
def test_reading_never_fails_and_always_yields_publishable_text(record: Record) -> None:
    """Whatever the bytes: an envelope, or its one kind of refusal, and a fingerprint."""
    envelope = read(record)
    for text in (envelope.identity.id, envelope.identity.source, envelope.correlation_id):
        assert text
        assert text.encode().decode() == text
    assert (envelope.payload is None) <= (envelope.problem is not None)
    refusal = refusal_of(envelope)
    if refusal is not None:
        assert refusal.code in {ErrorCode.INVALID_EVENT, ErrorCode.UNSUPPORTED_SCHEMA}
        assert len(refusal.message) < 2000
    if envelope.payload is not None:
        assert len(fingerprint(envelope.payload)) == 64


@given(RECORDS)
def test_every_record_can_be_failed_validly(record: Record) -> None:
    """Its `story.failed` validates, headers included, and a dead letter can be written."""
    envelope = read(record)
    outcome = StoryFailed(
        request_id=envelope.request_id,
        user_id=envelope.user_id,
        error=Failure(code=ErrorCode.INTERNAL, message="m", retryable=True, stage=Stage.INTERNAL),
        attempt=envelope.identity.attempt,
        tries=0,
        billed=False,
        usage=Usage(),
        cost=None,
        dead_lettered=True,
        dlq_reference="story.requested/0/0",
        metadata=echoed_metadata(envelope),
    )
    event = encode_outcome(envelope, outcome, now=1.5e9, trace=TRACE)
    texts = {name: value.decode() for name, value in event.headers}
    assert len(texts) == len(event.headers)
    validator(EventType.FAILED).validate(json.loads(event.value))
    validator(EventType.FAILED, of_headers=True).validate(texts)
    kept = dead_letter_headers(record, envelope, DEATH)
    assert "authorization" not in dict(kept)


@given(title=st.text(min_size=1), content=st.text(min_size=1), user=st.text(min_size=1))
def test_a_story_comes_back_as_it_was_written(title: str, content: str, user: str) -> None:
    """Encoded, then read by a consumer: the same, and valid."""
    example: dict[str, Any] = EXAMPLES[EventType.GENERATED]
    told = {
        **example,
        "user_id": user,
        "story": {**example["story"], "title": title, "content": content},
    }
    story = StoryGenerated.model_validate(told)
    record = Record(json.dumps({"user_id": "u", "keywords": ["k"]}).encode())
    event = encode_outcome(read(record), story, now=1.5e9, trace=TRACE)
    assert json.loads(event.value) == told
    validator(EventType.GENERATED).validate(told)
    assert StoryGenerated.model_validate_json(event.value) == story


@given(
    BODIES,
    st.dictionaries(st.sampled_from(["timeout_ms", "stream", "metadata", "correlation_id"]), JSON),
    st.randoms(),
)
def test_the_fingerprint_sees_neither_order_nor_what_changes_no_story(
    body: dict[str, object], extra: dict[str, object], random: Random
) -> None:
    """Four fields and the order of names are nothing to it."""
    items = list({**body, **extra}.items())
    random.shuffle(items)
    assert fingerprint(dict(items)) == fingerprint(body)


@given(RECORDS, st.integers(0, 9))
def test_a_replay_keeps_the_identity(record: Record, count: int) -> None:
    """With x-replay-id where the record has no id of its own, wherever it is written again."""
    clean = tuple(pair for pair in record.headers if not pair[0].lower().startswith("x-replay-"))
    first = read(replace(record, headers=clean))
    again = (*clean, ("x-replay-count", str(count + 1).encode()))
    if first.anonymous:
        again = (*again, ("x-replay-id", first.identity.id.encode()))
    second = read(replace(record, headers=again, offset=99))
    assert (second.identity.source, second.identity.id) == (
        first.identity.source,
        first.identity.id,
    )
    assert second.request_id == first.request_id
    assert second.identity.attempt == count + 2


@pytest.mark.parametrize("depth", [150, 199, 250, 5000, 100_000])
def test_nesting_never_exhausts_the_stack(depth: int) -> None:
    """Neither reading nor the fingerprint, just below the parser's limit and far above it."""
    value = b'{"user_id":"u","keywords":["k"],"x":' + b"[" * depth + b"]" * depth + b"}"
    envelope = read_envelope(Record(value), max_event_bytes=10**6)
    if envelope.payload is None:
        assert envelope.problem is not None
    else:
        assert fingerprint(envelope.payload)
