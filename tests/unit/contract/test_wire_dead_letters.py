"""Dead letters keep what came, less credentials, and say what happened."""

from dataclasses import replace
from hashlib import sha256

from jiraiya_events.contract.dead_letters import (
    PREFIX,
    DeadLetterHeaders,
    Death,
    dead_letter_headers,
    only_dead_letter_headers,
    truncated_headers,
)
from jiraiya_events.contract.dropped_key import dropped_key_headers
from jiraiya_events.contract.record import WireHeaders
from jiraiya_events.contract.wire_headers import dead_letter_headers_schema
from jiraiya_events.domain.codes import ErrorCode
from tests.unit.contract.wire import EnvelopeReader, RecordMaker

DEATH = Death(
    code=ErrorCode.INVALID_EVENT,
    message="keywords:\n required",
    tries=0,
    failed_at=1769860800.0,
    service_version="0.1.0",
)

STORY = {
    "x-dlq-topic": b"story.requested",
    "x-dlq-partition": b"3",
    "x-dlq-offset": b"42",
    "x-dlq-timestamp": b"1700000000000",
    "x-dlq-error-code": b"invalid_event",
    "x-dlq-error-message": b"keywords: required",
    "x-dlq-tries": b"0",
    "x-dlq-failed-at": b"2026-01-31T12:00:00.000Z",
    "x-dlq-service-version": b"0.1.0",
    "x-dlq-replay-count": b"0",
}


def letter(
    record: RecordMaker, read: EnvelopeReader, headers: WireHeaders = ()
) -> DeadLetterHeaders:
    """Return the headers of the dead letter of a record with these headers."""
    dead = replace(record(), headers=tuple(headers))
    return dead_letter_headers(dead, read(dead), DEATH)


def test_a_dead_letter_says_where_it_came_from_and_why(
    record: RecordMaker, read: EnvelopeReader
) -> None:
    """All ten headers of the contract, as text."""
    assert dict(letter(record, read)) == STORY


def test_original_headers_keep_their_bytes_and_their_order(
    record: RecordMaker, read: EnvelopeReader
) -> None:
    """Also what is null, repeated or not text."""
    original = (
        ("b", b"\xff\xfe"),
        ("a", None),
        ("b", b""),
        ("ce_expirytime", b"2020-01-01T00:00:00Z"),
    )
    assert letter(record, read, original)[:4] == original


def test_credentials_are_removed(record: RecordMaker, read: EnvelopeReader) -> None:
    """Whatever the case of their names."""
    original = (("Authorization", b"Bearer t"), ("x-api-key", b"k"), ("X-Hub-Signature-256", b"s"))
    assert dict(letter(record, read, original)) == STORY


def test_earlier_dead_letter_headers_are_replaced(
    record: RecordMaker, read: EnvelopeReader
) -> None:
    """Forged ones as well."""
    original = (("X-DLQ-Topic", b"forged"), ("x-dlq-truncated", b"true"), ("x-replay-count", b"2"))
    kept = dict(letter(record, read, original))
    assert kept == {**STORY, "x-replay-count": b"2", "x-dlq-replay-count": b"2"}


def test_a_dead_letter_that_was_too_large_tells_size_and_digest(
    record: RecordMaker, read: EnvelopeReader
) -> None:
    """Its headers stay, its value is null."""
    headers = letter(record, read, (("a", b"1"),))
    short = dict(truncated_headers(headers, b"body"))
    assert short == {
        **dict(headers),
        "x-dlq-truncated": b"true",
        "x-dlq-size": b"4",
        "x-dlq-sha256": sha256(b"body").hexdigest().encode(),
    }


def test_as_a_last_resort_only_our_own_headers_stay(
    record: RecordMaker, read: EnvelopeReader
) -> None:
    """A partition is never blocked by the headers of one record."""
    headers = truncated_headers(letter(record, read, (("a", b"1" * 10**6),)), None)
    kept = dict(only_dead_letter_headers(headers))
    assert "a" not in kept
    assert kept["x-dlq-headers-dropped"] == b"true"
    assert kept["x-dlq-size"] == b"0"


def test_every_header_there_may_be_is_in_the_schema(
    record: RecordMaker, read: EnvelopeReader
) -> None:
    """And the schema promises no other."""
    dead = record()
    headers = dead_letter_headers(dead, read(dead), replace(DEATH, unread=True))
    headers = only_dead_letter_headers(truncated_headers(headers, dead.value))
    names = {name for name, _ in (*headers, *dropped_key_headers(dead.key, PREFIX))}
    assert names == dead_letter_headers_schema()["properties"].keys()


def test_what_is_added_fits_the_headroom_of_the_topic(
    record: RecordMaker, read: EnvelopeReader
) -> None:
    """Even with the longest message there is."""
    death = replace(DEATH, message="\U0001f409" * 10**6)
    dead = record()
    added = truncated_headers(dead_letter_headers(dead, read(dead), death), b"")
    assert sum(len(name) + len(value or b"") + 10 for name, value in added) < 8 * 1024
