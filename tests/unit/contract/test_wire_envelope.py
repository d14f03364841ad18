"""Envelopes: what is read from binary, structured and plain events, and what is refused."""

import base64
import json
from dataclasses import replace

import pytest

from jiraiya_events.contract.event_types import EventType
from jiraiya_events.domain.codes import ErrorCode, Stage
from jiraiya_events.domain.identity import RequestIdentity
from tests.unit.contract.wire import EnvelopeReader, Json, RecordMaker, problem_of

POSITION = "story.requested:3:42"
WISH = {"user_id": "u-1", "keywords": ["dragon"]}
BINARY = {
    "content-type": "application/json",
    "ce_specversion": "1.0",
    "ce_id": "r-1",
    "ce_source": "/kuybi",
    "ce_type": "com.kuybi.story.requested.v1",
    "ce_time": "2026-01-31T12:00:00Z",
}
STRUCTURED = {
    "specversion": "1.0",
    "id": "r-1",
    "source": "/kuybi",
    "type": "com.kuybi.story.requested.v1",
    "data": WISH,
}
AS_STRUCTURED = {"content-type": "Application/CloudEvents+JSON; charset=UTF-8"}


def test_a_binary_event_is_read_from_its_headers(read: EnvelopeReader) -> None:
    """The ce_ headers give identity and time; the value is the payload."""
    envelope = read(WISH, BINARY)
    assert envelope.problem is None
    assert envelope.identity == RequestIdentity("/kuybi", "r-1", 1)
    assert envelope.request_id == envelope.causation_id == "r-1"
    assert envelope.payload == WISH
    assert not envelope.anonymous


def test_a_structured_event_is_read_from_its_body(read: EnvelopeReader) -> None:
    """The content type may have parameters and any case; `data` is the payload."""
    body = {**STRUCTURED, "correlationid": "c-9", "expirytime": "2026-01-01T00:00:00Z"}
    envelope = read(body, AS_STRUCTURED)
    assert envelope.problem is None
    assert envelope.identity == RequestIdentity("/kuybi", "r-1", 1)
    assert envelope.payload == WISH
    assert envelope.correlation_id == "c-9"
    assert envelope.expiry == 1767225600.0


def test_structured_data_may_be_base64(read: EnvelopeReader) -> None:
    """`data_base64` is decoded and parsed like any value."""
    body = {key: part for key, part in STRUCTURED.items() if key != "data"}
    body["data_base64"] = base64.b64encode(json.dumps(WISH).encode()).decode()
    assert read(body, AS_STRUCTURED).payload == WISH


@pytest.mark.parametrize(
    "change",
    [
        {"data": None},
        {"data": "text"},
        {"data": None, "data_base64": "%%%"},
        {"data": None, "data_base64": "WzFd"},
    ],
)
def test_structured_data_that_is_no_object_is_invalid(read: EnvelopeReader, change: Json) -> None:
    """Missing data, text, broken base64 and a JSON array all name the field."""
    envelope = read({**STRUCTURED, **change}, AS_STRUCTURED)
    assert problem_of(envelope).code is ErrorCode.INVALID_EVENT
    assert problem_of(envelope).message.startswith("data")
    assert envelope.request_id == "r-1"


def test_a_plain_event_goes_by_its_request_id(read: EnvelopeReader) -> None:
    """Without headers: id from the payload, source unknown, type by topic."""
    envelope = read()
    assert envelope.problem is None
    assert envelope.identity == RequestIdentity("/unknown", "r-1", 1)
    assert envelope.type is EventType.REQUESTED


def test_a_record_without_any_id_goes_by_its_position(read: EnvelopeReader) -> None:
    """`topic:partition:offset` is its id, and a replay must be told so."""
    envelope = read(WISH)
    assert envelope.problem is None
    assert envelope.identity.id == envelope.request_id == envelope.correlation_id == POSITION
    assert envelope.anonymous


@pytest.mark.parametrize(
    "value",
    [
        b"", b"\xff\xfe", b"[]", b"null", b'"text"', b"{", b'{"a":NaN}', b'{"a":-Infinity}',
        rb'{"user_id":"\ud800"}', b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000, b'{"a":1} {"b":2}', b'{"a":"\xed\xa0\x80"}',
    ],
)  # fmt: skip
def test_undecodable_bytes_are_an_invalid_event(read: EnvelopeReader, value: bytes | None) -> None:
    """Whatever the bytes: a problem, a position for an id, and no `request_id`."""
    envelope = read(value, max_event_bytes=10**7)
    assert problem_of(envelope).code is ErrorCode.INVALID_EVENT
    assert problem_of(envelope).stage is Stage.DECODE
    assert envelope.identity.id == POSITION
    assert envelope.request_id is None
    assert envelope.user_id is None


def test_a_tombstone_is_an_invalid_event(read: EnvelopeReader, record: RecordMaker) -> None:
    """A null value has no wish in it; its ce_id is still read."""
    envelope = read(replace(record(headers=BINARY), value=None))
    assert problem_of(envelope).code is ErrorCode.INVALID_EVENT
    assert envelope.request_id == "r-1"


def test_a_byte_order_mark_is_ignored(read: EnvelopeReader) -> None:
    """In the value and in a header."""
    envelope = read(b"\xef\xbb\xbf" + json.dumps(WISH).encode(), {"ce_id": "\ufeffr-7"})
    assert envelope.problem is None
    assert envelope.request_id == "r-7"


def test_of_duplicate_names_the_last_wins(read: EnvelopeReader, record: RecordMaker) -> None:
    """In headers and in JSON."""
    twice = replace(
        record(b'{"user_id":"a","user_id":"b","keywords":["k"]}'),
        headers=(("ce_id", b"first"), ("CE_ID", b"last")),
    )
    envelope = read(twice)
    assert (envelope.request_id, envelope.user_id) == ("last", "b")


@pytest.mark.parametrize("value", [b"\xff\xfe", b"", None, b"\xef\xbb\xbf"])
def test_unusable_headers_count_as_absent(read: EnvelopeReader, value: bytes | None) -> None:
    """Not UTF-8, empty, null or only a BOM."""
    envelope = read(headers=dict.fromkeys([*BINARY, "x-replay-count", "traceparent"], value))
    assert envelope.problem is None
    assert envelope.identity == RequestIdentity("/unknown", "r-1", 1)


@pytest.mark.parametrize("headers", [{}, BINARY])
def test_a_value_over_the_limit_still_tells_whose_it_is(
    read: EnvelopeReader, headers: dict[str, str]
) -> None:
    """payload_too_large at one byte more, with all that a higher limit would read."""
    value = json.dumps(WISH).encode()
    enough = read(value, headers, max_event_bytes=len(value))
    assert enough.problem is None
    envelope = read(value, headers, max_event_bytes=len(value) - 1)
    assert problem_of(envelope).code is ErrorCode.PAYLOAD_TOO_LARGE
    assert not envelope.unread
    assert replace(envelope, problem=None) == enough


@pytest.mark.parametrize("value", [b" " * 1_048_577, b"{" * 40_000])
def test_what_cannot_tell_whose_it_is_was_not_read(read: EnvelopeReader, value: bytes) -> None:
    """Beyond a mebibyte nobody looks; the identity is that of the headers."""
    envelope = read(value, BINARY)
    assert problem_of(envelope).code is ErrorCode.PAYLOAD_TOO_LARGE
    assert (envelope.payload, envelope.unread) == (None, True)
    assert envelope.request_id == "r-1"


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("ce_type", "com.kuybi.story.requested.v2"),
        ("ce_type", "com.kuybi.story.generated.v1"),
        ("ce_specversion", "0.3"),
        ("ce_specversion", "2.0"),
    ],
)
def test_unknown_types_and_versions_are_unsupported(
    read: EnvelopeReader, header: str, value: str
) -> None:
    """The message names the attribute; what can be read still is."""
    envelope = read(WISH, {**BINARY, header: value})
    assert problem_of(envelope).code is ErrorCode.UNSUPPORTED_SCHEMA
    assert header in problem_of(envelope).message
    assert value not in problem_of(envelope).message
    assert (envelope.request_id, envelope.user_id) == ("r-1", "u-1")


@pytest.mark.parametrize("name", ["specversion", "type"])
def test_structured_attributes_that_are_no_text_are_unsupported(
    read: EnvelopeReader, name: str
) -> None:
    """`specversion: 1.0` as a number is a common slip and gets a readable answer."""
    assert (
        problem_of(read({**STRUCTURED, name: 1.0}, AS_STRUCTURED)).code
        is ErrorCode.UNSUPPORTED_SCHEMA
    )


@pytest.mark.parametrize("name", ["id", "source", "expirytime"])
def test_structured_ids_that_are_no_text_are_invalid(read: EnvelopeReader, name: str) -> None:
    """The message names the attribute."""
    envelope = read({**STRUCTURED, name: 5}, AS_STRUCTURED)
    assert problem_of(envelope).code is ErrorCode.INVALID_EVENT
    assert name in problem_of(envelope).message


def test_two_ids_that_differ_are_invalid(read: EnvelopeReader) -> None:
    """Both fields are named; the outcome goes by ce_id."""
    envelope = read({**WISH, "request_id": "r-2"}, BINARY)
    assert problem_of(envelope).code is ErrorCode.INVALID_EVENT
    assert "ce_id" in problem_of(envelope).message
    assert "request_id" in problem_of(envelope).message
    assert envelope.request_id == "r-1"


def test_a_cancellation_has_an_id_of_its_own(read: EnvelopeReader) -> None:
    """There ce_id and the payload's request_id are different things."""
    headers = {**BINARY, "ce_type": "com.kuybi.story.cancelled.v1"}
    assert read({"request_id": "r-2"}, headers, expected=EventType.CANCELLED).problem is None


@pytest.mark.parametrize("bad", ["x" * 129, "a\nb", "a\x7f", "a\u0085b"])
def test_ids_nobody_can_use_are_invalid_and_stand_aside(read: EnvelopeReader, bad: str) -> None:
    """The outcome goes by the position and shows no request_id."""
    for envelope in (read(WISH, {"ce_id": bad}), read({**WISH, "request_id": bad})):
        assert problem_of(envelope).code is ErrorCode.INVALID_EVENT
        assert bad not in problem_of(envelope).message
        assert envelope.identity.id == POSITION
        assert envelope.request_id is None
        assert envelope.anonymous


def test_an_id_of_128_characters_is_fine(read: EnvelopeReader) -> None:
    """The limit counts characters, not bytes."""
    assert read(WISH, {"ce_id": "é" * 128}).problem is None


def test_a_source_nobody_can_use_is_invalid(read: EnvelopeReader) -> None:
    """The identity then has the unknown source."""
    envelope = read(WISH, {**BINARY, "ce_source": "/a\nb"})
    assert problem_of(envelope).code is ErrorCode.INVALID_EVENT
    assert envelope.identity.source == "/unknown"


@pytest.mark.parametrize(
    "text",
    [
        "tomorrow",
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-13-01T00:00:00Z",
        "1969-01-01T00:00:00Z",
    ],
)
def test_an_expiry_that_is_no_moment_is_invalid(read: EnvelopeReader, text: str) -> None:
    """RFC 3339 with an offset, since 1970."""
    envelope = read(WISH, {**BINARY, "ce_expirytime": text})
    assert problem_of(envelope).code is ErrorCode.INVALID_EVENT
    assert "ce_expirytime" in problem_of(envelope).message
    assert envelope.expiry is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-01-31T12:00:00Z", 1769860800.0),
        ("2026-01-31t14:00:00.25+02:00", 1769860800.25),
        ("2016-12-31T23:59:60Z", 1483228800.0),
        ("2026-01-31T12:00:00.123456789Z", 1769860800.123456),
    ],
)
def test_an_expiry_is_read_as_seconds_since_the_epoch(
    read: EnvelopeReader, text: str, seconds: float
) -> None:
    """Offsets, fractions and leap seconds included."""
    assert read(WISH, {**BINARY, "ce_expirytime": text}).expiry == pytest.approx(seconds, abs=1e-6)


def test_the_correlation_id_is_the_first_that_is_present(read: EnvelopeReader) -> None:
    """Three headers in their order, the payload, then the id."""
    headers = {**BINARY, "ce_correlationid": "a", "correlation_id": "b", "x-correlation-id": "c"}
    body = {**WISH, "correlation_id": "d"}
    found = []
    for gone in ("ce_correlationid", "correlation_id", "x-correlation-id"):
        found.append(read(body, headers).correlation_id)
        del headers[gone]
    found += [read(body, headers).correlation_id, read(WISH, headers).correlation_id]
    assert found == ["a", "b", "c", "d", "r-1"]


PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_the_trace_comes_from_traceparent_else_ce_traceparent(read: EnvelopeReader) -> None:
    """A malformed one counts as absent; the state goes with its parent."""
    other = PARENT.replace("0af7", "1af7")
    both = read(headers={"traceparent": PARENT, "tracestate": "a=1", "ce_traceparent": other})
    assert (both.trace.traceparent, both.trace.tracestate) == (PARENT, "a=1")
    bad = read(headers={"traceparent": "00-zz", "tracestate": "a=1", "ce_traceparent": other})
    assert (bad.trace.traceparent, bad.trace.tracestate) == (other, None)
    assert read(headers={"traceparent": "ff" + PARENT[2:]}).trace.traceparent is None
    assert read({**STRUCTURED, "traceparent": PARENT}, AS_STRUCTURED).trace.traceparent == PARENT


def test_a_replay_is_a_further_attempt_at_the_same_id(read: EnvelopeReader) -> None:
    """x-replay-count makes the attempt; x-replay-id stands in where there was no id."""
    envelope = read(
        WISH,
        {"x-replay-count": "2", "x-replay-id": "story.requested:3:7", "x-replay-edited": "true"},
    )
    assert envelope.identity == RequestIdentity("/unknown", "story.requested:3:7", 3)
    assert envelope.request_id == "story.requested:3:7"
    assert (envelope.replayed, envelope.edited, envelope.anonymous) == (True, True, True)


def test_an_edit_that_adds_an_id_keeps_the_identity(read: EnvelopeReader) -> None:
    """The replay of an undecodable record stays the same request when it is mended."""
    envelope = read(headers={"x-replay-count": "1", "x-replay-id": "story.requested:3:7"})
    assert envelope.problem is None
    assert envelope.identity.id == "story.requested:3:7"


def test_replay_headers_mean_nothing_without_a_count(read: EnvelopeReader) -> None:
    """Neither the stand-in id nor the edit mark counts on a first attempt."""
    envelope = read(
        WISH, {"x-replay-count": "many", "x-replay-id": "stolen", "x-replay-edited": "true"}
    )
    assert envelope.identity.id == POSITION
    assert not envelope.replayed
    assert not envelope.edited


def test_a_replay_ignores_the_expiry_in_a_structured_body(read: EnvelopeReader) -> None:
    """The replayed bytes are the original ones, whose expiry has long passed."""
    body = {**STRUCTURED, "expirytime": "2020-01-01T00:00:00Z"}
    assert read(body, {**AS_STRUCTURED, "x-replay-count": "1"}).expiry is None


@pytest.mark.parametrize("user", [5, "", "x" * 129, None, ["u"]])
def test_a_user_id_that_cannot_be_read_is_none(read: EnvelopeReader, user: Json) -> None:
    """The outcome of an invalid request still needs one or null."""
    assert read({**WISH, "user_id": user}).user_id is None
