"""Payloads: what is accepted, and messages that name the fields without repeating a value."""

import json
from dataclasses import replace

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from jiraiya_events.contract.deadline import deadline_of
from jiraiya_events.contract.envelope import Envelope
from jiraiya_events.contract.event_types import EventType
from jiraiya_events.contract.faults import describe
from jiraiya_events.contract.requests import echoed_metadata, read_cancel, read_request
from jiraiya_events.domain.codes import ErrorCode, Stage
from jiraiya_events.domain.errors import RequestFailure
from tests.unit.contract.wire import EnvelopeReader, Json

WISH = {"request_id": "r-1", "user_id": "u-1", "keywords": ["dragon"]}
LEAK = "sesame-4711"


def refusal(envelope: Envelope) -> RequestFailure:
    """Return the failure reading the request ends with."""
    with pytest.raises(RequestFailure) as raised:
        read_request(envelope)
    return raised.value


def test_a_request_has_the_defaults_of_the_contract(read: EnvelopeReader) -> None:
    """And keywords are trimmed, unknown fields ignored."""
    request = read_request(read({**WISH, "keywords": ["  dragon "], "unknown": 1}))
    assert request.keywords == ["dragon"]
    assert (request.audience, request.language, request.length) == ("children", "en", "short")
    assert request.metadata == {}


@pytest.mark.parametrize(
    ("tag", "accepted"),
    [
        ("zh-cmn-Hans-CN", True), ("de-CH-1901", True), ("en-X-mine", True), ("art-lojban", True),
        ("x-klingon", True), ("X-a-b2-12345678", True), ("x-123456789", False), ("x-", False),
        ("i-klingon", True), ("I-KLINGON", True), ("i-vulcan", False), ("i-klingon-x-a", False),
        ("en-GB-oed", True), ("sgn-BE-FR", True), ("sgn-BE-XX", False), ("en_US", False),
    ],
)  # fmt: skip
def test_a_language_is_any_well_formed_tag(
    read: EnvelopeReader, tag: str, *, accepted: bool
) -> None:
    """RFC 5646, section 2.1: of its three forms, and nothing else."""
    envelope = read({**WISH, "language": tag})
    if accepted:
        assert read_request(envelope).language == tag
    else:
        assert refusal(envelope).code == ErrorCode.INVALID_EVENT


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"keywords": []}, "keywords: at least 1 item(s)"),
        ({"keywords": ["a"] * 21}, "keywords: at most 20 items"),
        ({"keywords": ["a", " "]}, "keywords[1]: at least 1 character(s)"),
        ({"keywords": [LEAK * 8]}, "keywords[0]: at most 64 characters"),
        ({"keywords": LEAK}, "keywords: must be a list"),
        ({"user_id": 5}, "user_id: must be a string"),
        ({"audience": LEAK}, "audience: must be 'children', 'teens' or 'adults'"),
        ({"language": LEAK * 3}, "language: not of the form the schema asks for"),
        ({"timeout_ms": 999}, "timeout_ms: at least 1000"),
        ({"timeout_ms": 600_001}, "timeout_ms: at most 600000"),
        ({"timeout_ms": "5000"}, "timeout_ms: must be a whole number"),
        ({"timeout_ms": True}, "timeout_ms: must be a whole number"),
        ({"timeout_ms": 1.5e3 + 0.5}, "timeout_ms: must be a whole number"),
        ({"stream": LEAK}, "stream: must be true or false"),
        ({"metadata": {LEAK: 5}}, "metadata: must be a string"),
        ({"metadata": {str(n): "v" for n in range(17)}}, "metadata: at most 16 items"),
        ({"characters": [LEAK] * 9}, "characters: at most 8 items"),
        ({"title": "t" * 121}, "title: at most 120 characters"),
        (
            {"keywords": [], "timeout_ms": 1},
            "keywords: at least 1 item(s); timeout_ms: at least 1000",
        ),
    ],
)
def test_a_refusal_names_the_fields_and_repeats_no_value(
    read: EnvelopeReader, change: Json, message: str
) -> None:
    """What the user wrote is never in the message."""
    failure = refusal(read({**WISH, **change}))
    assert (failure.code, failure.stage) == (ErrorCode.INVALID_EVENT, Stage.VALIDATE)
    assert failure.message == message
    assert LEAK not in str(failure)
    assert failure.__cause__ is None
    assert failure.__context__ is None


def test_a_missing_field_is_named(read: EnvelopeReader) -> None:
    """All of them at once."""
    assert refusal(read(b'{"request_id":"r"}')).message == "user_id: required; keywords: required"


def test_a_message_stays_short_however_much_is_wrong(read: EnvelopeReader) -> None:
    """Eight faults are named, the others counted."""
    message = refusal(read({**WISH, "keywords": [1] * 20})).message
    assert message.endswith("and 12 more")
    assert len(message) < 1024


def test_the_problem_of_an_envelope_is_the_problem_of_its_request(read: EnvelopeReader) -> None:
    """What could not be decoded is raised as it is, but not as the envelope's own."""
    envelope = read(b"[]")
    refused, problem = refusal(envelope), envelope.problem
    assert problem is not None
    said = (refused.code, refused.message, refused.stage)
    assert said == (problem.code, problem.message, problem.stage)
    assert refused is not problem


def test_a_whole_number_may_be_written_with_a_point(read: EnvelopeReader) -> None:
    """5000.0 is an integer for JSON Schema, so it is one here."""
    assert read_request(read({**WISH, "timeout_ms": 5000.0})).timeout_ms == 5000


def test_a_cancellation_is_read(read: EnvelopeReader) -> None:
    """With its reason; without an id it is refused."""
    cancel = read_cancel(
        read({"request_id": "r-1", "reason": "late"}, expected=EventType.CANCELLED)
    )
    assert (cancel.request_id, cancel.reason) == ("r-1", "late")
    with pytest.raises(RequestFailure, match="request_id: required"):
        read_cancel(read(b"{}", expected=EventType.CANCELLED))


def test_metadata_is_echoed_of_invalid_requests_as_well(read: EnvelopeReader) -> None:
    """Where it is valid itself; else there is none."""
    assert echoed_metadata(read(b'{"metadata":{"a":"b"}}')) == {"a": "b"}
    assert echoed_metadata(read(b'{"metadata":{"a":5}}')) == {}
    assert echoed_metadata(read(b"{}")) == {}
    assert echoed_metadata(read(b"")) == {}


def test_the_deadline_is_the_expiry_else_the_timeout_else_the_default(read: EnvelopeReader) -> None:
    """In seconds since the epoch, counted from the record's timestamp."""
    start = 1_700_000_000.0
    plain = read()
    now = start + 1000
    assert deadline_of(plain, read_request(plain), 300, now) == start + 300
    assert deadline_of(plain, None, 300, now) == start + 300
    short = read({**WISH, "timeout_ms": 1500})
    assert deadline_of(short, read_request(short), 300, now) == start + 1.5
    fixed = read(
        json.dumps({**WISH, "timeout_ms": 1500}).encode(), {"ce_expirytime": "2023-11-14T22:20:00Z"}
    )
    assert deadline_of(fixed, read_request(fixed), 300, now) == start + 400


def test_no_expiry_is_further_than_the_longest_timeout(read: EnvelopeReader) -> None:
    """What a request had to wait for is remembered for so long; it keeps its lane from moving."""
    start = 1_700_000_000.0
    distant = read(json.dumps(WISH).encode(), {"ce_expirytime": "9999-12-31T23:59:59Z"})
    assert deadline_of(distant, None, 300, start) == start + 600


@pytest.mark.parametrize("timestamp_ms", [-1, -(2**62), 1_700_000_000_001, 2**62])
def test_a_timestamp_of_no_time_or_of_the_future_counts_as_now(
    read: EnvelopeReader, timestamp_ms: int
) -> None:
    """Else a record without one would have been late since 1970, and the other never."""
    now = 1_700_000_000.0
    envelope = replace(read(), timestamp_ms=timestamp_ms)
    assert deadline_of(envelope, None, 300, now) == now + 300


class Closed(BaseModel):
    """A model that takes no other fields."""

    model_config = ConfigDict(extra="forbid")


def test_a_name_the_model_does_not_know_is_never_repeated() -> None:
    """It would be the user's own word."""
    with pytest.raises(ValidationError) as raised:
        Closed.model_validate({LEAK: 1})
    assert describe(raised.value, Closed) == "value: not acceptable"
