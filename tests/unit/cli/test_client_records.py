"""What the client sends and what it makes of what it receives, without a broker."""

import json
import re

import pytest

from jiraiya_events.client import Received, read_outcome
from jiraiya_events.client.requests import cancel_body, event_headers, new_request_id, request_body
from jiraiya_events.contract.envelope import read_envelope
from jiraiya_events.contract.event_types import EventType
from jiraiya_events.contract.examples import EXAMPLES
from jiraiya_events.contract.requests import read_cancel, read_request
from jiraiya_events.domain.outcome import StoryFailed, StoryGenerated
from jiraiya_events.domain.request import StoryRequested
from jiraiya_events.engine.records import Record

WISH = StoryRequested(user_id="u", keywords=["moon"], tone="calm")


def received(value: bytes | None, kind: str) -> Received:
    return Received(
        topic="t", partition=0, offset=0, timestamp_ms=0, key=None, value=value,
        headers={"ce_type": kind, "ce_causationid": "r-1"},
    )  # fmt: skip


def test_what_is_sent_is_what_the_service_reads() -> None:
    """Headers and body make an envelope without a problem, and the same wish again."""
    name = new_request_id()
    record = Record(
        "story.requested", 0, 0, 1_000, b"u", request_body(WISH),
        tuple(event_headers(name, "/test", sampled=True)),
    )  # fmt: skip
    envelope = read_envelope(record, max_event_bytes=32_768)
    assert envelope.problem is None
    assert (envelope.identity.id, envelope.identity.source) == (name, "/test")
    assert read_request(envelope) == WISH


def test_a_cancellation_names_the_request_and_its_source() -> None:
    """Its own id is another; a reason that is too long is refused before it is sent."""
    headers = event_headers("own", "/test", EventType.CANCELLED, sampled=None)
    record = Record("story.cancelled", 0, 0, 1_000, b"u", cancel_body("r-1", "late"), headers)
    envelope = read_envelope(record, max_event_bytes=32_768, expected=EventType.CANCELLED)
    cancel = read_cancel(envelope)
    assert (envelope.identity.source, cancel.request_id, cancel.reason) == ("/test", "r-1", "late")
    assert json.loads(cancel_body("r-1", None)) == {"request_id": "r-1"}
    with pytest.raises(ValueError, match="256"):
        cancel_body("r-1", "x" * 257)


def test_defaults_are_left_to_the_service() -> None:
    """The body holds what was wished for and nothing else."""
    assert json.loads(request_body(WISH)) == {"user_id": "u", "keywords": ["moon"], "tone": "calm"}


def test_every_request_begins_a_trace_of_its_own() -> None:
    """A well-formed traceparent, sampled or not as asked."""
    seen = set()
    for sampled, flags in ((True, "01"), (False, "00")):
        headers = dict(event_headers("r", "/test", sampled=sampled))
        traceparent = headers["traceparent"].decode()
        assert re.fullmatch(rf"00-[0-9a-f]{{32}}-[0-9a-f]{{16}}-{flags}", traceparent)
        seen.add(traceparent)
    assert len(seen) == 2


def test_outcomes_are_read_by_their_type() -> None:
    """Anything else, or anything broken, is no outcome."""
    story = json.dumps(EXAMPLES[EventType.GENERATED]).encode()
    failure = json.dumps(EXAMPLES[EventType.FAILED]).encode()
    assert isinstance(read_outcome(received(story, EventType.GENERATED)), StoryGenerated)
    assert isinstance(read_outcome(received(failure, EventType.FAILED)), StoryFailed)
    assert read_outcome(received(story, EventType.FAILED)) is None
    assert read_outcome(received(story, "com.example.other")) is None
    assert read_outcome(received(None, EventType.GENERATED)) is None
    assert received(None, "x").request_id == "r-1"
