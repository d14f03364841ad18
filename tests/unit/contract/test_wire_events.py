"""Outputs: their headers, their ids and their values."""

import json
from hashlib import sha256

import pytest

from jiraiya_events.contract.envelope import Envelope
from jiraiya_events.contract.event_types import EventType
from jiraiya_events.contract.events import EncodedEvent, encode_outcome, encode_progress
from jiraiya_events.contract.examples import EXAMPLES
from jiraiya_events.contract.ids import event_id
from jiraiya_events.contract.trace import TraceContext
from jiraiya_events.domain.outcome import Outcome, StoryFailed, StoryGenerated
from jiraiya_events.domain.signals import StoryProgress
from tests.unit.contract.wire import EnvelopeReader

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TRACE = TraceContext(PARENT, "a=1")
NOW = 1769860800.25
STORY = StoryGenerated.model_validate(EXAMPLES[EventType.GENERATED])
FAILURE = StoryFailed.model_validate(EXAMPLES[EventType.FAILED])


def encoded(
    envelope: Envelope, outcome: Outcome = STORY, conflict_body: bytes | None = None
) -> EncodedEvent:
    """Return the encoded outcome."""
    return encode_outcome(envelope, outcome, now=NOW, trace=TRACE, conflict_body=conflict_body)


def test_a_story_carries_all_headers_of_the_contract(read: EnvelopeReader) -> None:
    """In this order, as UTF-8 text, followed by what is passed on."""
    envelope = read(headers={"ce_source": "/kuybi", "correlation_id": "c", "x-tenant": "grün"})
    assert dict(encoded(envelope).headers) == {
        "content-type": b"application/json",
        "ce_specversion": b"1.0",
        "ce_id": event_id(envelope.identity, EventType.GENERATED).encode(),
        "ce_source": b"/jiraiya",
        "ce_type": b"com.kuybi.story.generated.v1",
        "ce_subject": b"r-1",
        "ce_time": b"2026-01-31T12:00:00.250Z",
        "ce_dataschema": b"https://schemas.kuybi.com/jiraiya/story.generated.v1.json",
        "ce_correlationid": b"c",
        "ce_causationid": b"r-1",
        "ce_sequence": b"00000000000000000042",
        "x-request-partition": b"3",
        "correlation_id": b"c",
        "traceparent": PARENT.encode(),
        "tracestate": b"a=1",
        "x-tenant": "grün".encode(),
    }


def test_no_header_occurs_twice(read: EnvelopeReader) -> None:
    """Whatever the request brought along."""
    hostile = {"x-request-partition": "9", "X-Tenant": "a", "x-tenant": "b", "traceparent": "x"}
    names = [name for name, _ in encoded(read(headers=hostile)).headers]
    assert len(names) == len(set(names))


def test_the_value_is_compact_json_in_utf_8(read: EnvelopeReader) -> None:
    """No blanks, nothing escaped that need not be."""
    event = encoded(read())
    compact = json.dumps(EXAMPLES[EventType.GENERATED], separators=(",", ":"), ensure_ascii=False)
    assert event.value == compact.encode()


def test_a_failure_of_unreadable_bytes_has_no_subject(read: EnvelopeReader) -> None:
    """request_id and user_id are null; causation is the position."""
    nobody = FAILURE.model_copy(update={"request_id": None, "user_id": None})
    event = encoded(read(b"\xff"), nobody)
    headers = dict(event.headers)
    assert "ce_subject" not in headers
    assert headers["ce_causationid"] == b"story.requested:3:42"
    assert headers["ce_type"] == b"com.kuybi.story.failed.v1"
    assert json.loads(event.value)["request_id"] is None


def test_an_outcome_without_trace_state_has_no_such_header(read: EnvelopeReader) -> None:
    """An empty header would be worse than none."""
    event = encode_outcome(read(), STORY, now=NOW, trace=TraceContext(PARENT))
    assert "tracestate" not in dict(event.headers)


def test_a_conflict_has_an_id_of_its_own_for_each_body(read: EnvelopeReader) -> None:
    """The body's SHA-256 is part of it, so that it never hides the first outcome."""
    envelope = read()
    ids = [
        dict(encoded(envelope, FAILURE, conflict_body=body).headers)["ce_id"]
        for body in (None, b"", b"a")
    ]
    assert len(set(ids)) == 3
    digest = sha256(b"a").hexdigest()
    assert ids[2].decode() == event_id(envelope.identity, EventType.FAILED, digest)


def test_every_piece_of_progress_has_an_id_of_its_own(read: EnvelopeReader) -> None:
    """The sequence is part of it."""
    pieces = [
        StoryProgress(request_id="r-1", sequence=number, delta="x", final=False)
        for number in range(2)
    ]
    events = [encode_progress(read(), piece, now=NOW, trace=TRACE) for piece in pieces]
    assert len({dict(event.headers)["ce_id"] for event in events}) == 2
    assert events[0].type is EventType.PROGRESS


@pytest.mark.parametrize("code", ["a", "b"])
def test_encoding_twice_gives_the_same_event(read: EnvelopeReader, code: str) -> None:
    """Nothing in it comes from chance or a clock."""
    envelope = read(headers={"ce_id": code}, body={"user_id": "u", "keywords": ["k"]})
    assert encoded(envelope) == encoded(envelope)
