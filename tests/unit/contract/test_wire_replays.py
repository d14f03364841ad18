"""A replay is the record that died, but for what a replay must change."""

from dataclasses import replace

import pytest

from jiraiya_events.contract.dead_letters import (
    Death,
    dead_letter_headers,
    truncated_headers,
)
from jiraiya_events.contract.envelope import read_envelope
from jiraiya_events.contract.letters import UNKNOWN, DeadLetter, Origin
from jiraiya_events.contract.record import WireHeaders
from jiraiya_events.contract.replays import Replay, edited_replay_of, original_envelope, replay_of
from jiraiya_events.domain.codes import ErrorCode
from jiraiya_events.domain.errors import RequestFailure
from tests.unit.contract.wire import Record, make_record

ORIGIN = Origin("story.requested", 3, 42)
LIMIT = 32_768
DEATH = Death(
    code=ErrorCode.PROVIDER_UNAVAILABLE,
    message="503",
    tries=3,
    failed_at=1769860800.0,
    service_version="0.1.0",
)


def died(record: Record, code: ErrorCode = ErrorCode.PROVIDER_UNAVAILABLE) -> DeadLetter:
    """Return the dead letter the service writes for this record, at 5:7."""
    limit = len(record.value or b"") - (code is ErrorCode.PAYLOAD_TOO_LARGE)
    envelope = read_envelope(record, max_event_bytes=limit)
    headers = dead_letter_headers(record, envelope, replace(DEATH, code=code))
    return letter(record.key, record.value, headers)


def letter(key: bytes | None, value: bytes | None, headers: WireHeaders) -> DeadLetter:
    return DeadLetter("story.requested.dlq", 5, 7, 1_769_860_801_000, key, value, headers)


def again(dead: DeadLetter, value: bytes | None = None) -> Replay:
    assert dead.origin is not None
    if value is None:
        return replay_of(dead, dead.origin)
    return edited_replay_of(dead, dead.origin, value, LIMIT)


def reread(replay: Replay, offset: int = 99) -> Record:
    """Return the replay as the service reads it, at its new place."""
    return Record(
        replay.value, replay.headers, replay.topic, replay.partition, offset, key=replay.key
    )


def test_a_dead_letter_tells_its_story() -> None:
    dead = died(make_record())
    assert (dead.reference, dead.origin) == ("5:7", ORIGIN)
    assert str(dead.origin) == "story.requested/3/42"
    assert (dead.code, dead.message, dead.tries) == ("provider_unavailable", "503", 3)
    assert (dead.replays, dead.failed_at, dead.truncated) == (0, 1769860800.0, False)


@pytest.mark.parametrize("headers", [[], [("x-dlq-partition", b"x"), ("x-dlq-topic", b"t")]])
def test_a_record_that_tells_nothing_is_read_all_the_same(headers: WireHeaders) -> None:
    """Somebody else may have written into the topic."""
    dead = letter(b"k", b"v", headers)
    assert (dead.origin, dead.code, dead.tries, dead.replays) == (None, UNKNOWN, 0, 0)
    assert dead.failed_at == 1_769_860_801.0


def test_a_replay_goes_where_the_request_was_with_its_key_and_bytes() -> None:
    record = make_record()
    replay = again(died(record))
    assert (replay.topic, replay.partition) == ("story.requested", 3)
    assert (replay.key, replay.value) == (record.key, record.value)
    assert replay.headers == [("x-replay-count", b"1"), ("x-replay-of", b"5:7")]


def test_headers_keep_their_order_their_bytes_and_their_repetitions() -> None:
    """Only `x-dlq-*`, the expiry and an earlier replay's marks go, in whatever case."""
    kept: WireHeaders = [("b", b"\xff"), ("a", None), ("b", b""), ("X-Tenant", b"t")]
    gone: WireHeaders = [("CE_ExpiryTime", b"2020-01-01T00:00:00Z"), ("X-Replay-Of", b"1:1")]
    replay = again(died(replace(make_record(), headers=[*kept, *gone])))
    assert list(replay.headers[:4]) == kept
    assert [name for name, _ in replay.headers[4:]] == ["x-replay-count", "x-replay-of"]


def test_every_replay_counts_one_more() -> None:
    first = again(died(make_record()))
    second = again(died(reread(first)))
    assert dict(second.headers)["x-replay-count"] == b"2"
    assert [name for name, _ in second.headers].count("x-replay-count") == 1
    assert read_envelope(reread(second), max_event_bytes=LIMIT).identity.attempt == 3


@pytest.mark.parametrize(
    "record",
    [
        make_record({"user_id": "u", "keywords": ["a"]}),
        make_record(b"no json"),
        replace(make_record(), value=None),
        make_record(headers={"ce_id": "x" * 200}),
    ],
)
def test_a_request_named_by_its_position_keeps_that_name(record: Record) -> None:
    """Over any number of replays."""
    once = died(reread(again(died(record))))
    twice = again(once)
    assert dict(twice.headers)["x-replay-id"] == b"story.requested:3:42"
    identity = read_envelope(reread(twice), max_event_bytes=LIMIT).identity
    assert (identity.id, identity.attempt) == ("story.requested:3:42", 3)


@pytest.mark.parametrize(
    "record",
    [
        make_record(),
        make_record({"user_id": "u", "keywords": ["a"]}),
        make_record(
            {"specversion": "1.0", "id": "r-1", "source": "/s", "data": {"user_id": "u"}},
            {"content-type": "application/cloudevents+json"},
        ),
    ],
)
def test_what_was_too_large_then_keeps_its_name_when_the_limit_is_raised(record: Record) -> None:
    """Wherever its id stands: in the body, nowhere, or in a structured event."""
    before = read_envelope(record, max_event_bytes=1)
    replay = again(died(record, ErrorCode.PAYLOAD_TOO_LARGE))
    after = read_envelope(reread(replay), max_event_bytes=LIMIT)
    assert replace(after.identity, attempt=1) == before.identity


def test_what_was_given_up_unread_keeps_the_name_it_had_then() -> None:
    """Its value was there, but nobody looked for an id in it."""
    dead = died(make_record())
    unread = letter(dead.key, dead.value, [*dead.headers, ("x-dlq-unread", b"true")])
    assert original_envelope(unread, ORIGIN).identity.id == "story.requested:3:42"
    replay = again(unread)
    assert dict(replay.headers)["x-replay-id"] == b"story.requested:3:42"
    identity = read_envelope(reread(replay), max_event_bytes=LIMIT).identity
    assert (identity.id, identity.attempt) == ("story.requested:3:42", 2)


def test_a_request_with_an_id_of_its_own_needs_no_other() -> None:
    replay = again(died(make_record(headers={"ce_id": "r-1"})))
    assert "x-replay-id" not in dict(replay.headers)


def test_an_edited_replay_says_so_once() -> None:
    """Also when it is the second edit."""
    value = b'{"request_id": "r-1", "user_id": "u-1", "keywords": ["cat"]}'
    once = again(died(make_record()), value)
    assert once.value == value
    assert dict(once.headers)["x-replay-edited"] == b"true"
    twice = again(died(reread(once)), value)
    assert [name for name, _ in twice.headers].count("x-replay-edited") == 1


def test_an_edit_lasts_over_later_replays() -> None:
    """Its body is still not the requester's."""
    value = b'{"request_id": "r-1", "user_id": "u-1", "keywords": ["cat"]}'
    later = again(died(reread(again(died(make_record()), value))))
    assert dict(later.headers)["x-replay-edited"] == b"true"


def test_a_requester_cannot_pass_for_an_operator() -> None:
    """The mark of an edit that nobody made is dropped, so that the fingerprint stays."""
    forged = make_record(headers={"X-Replay-Edited": "true"})
    replay = again(died(forged))
    assert [name for name, _ in replay.headers] == ["x-replay-count", "x-replay-of"]
    assert not read_envelope(reread(replay), max_event_bytes=LIMIT).edited


def test_an_edit_can_mend_a_body_nobody_could_read() -> None:
    """Its id stays the position, whatever the new body says."""
    value = b'{"request_id": "mine", "user_id": "u-1", "keywords": ["cat"]}'
    replay = again(died(make_record(b"no json")), value)
    envelope = read_envelope(reread(replay), max_event_bytes=LIMIT)
    assert (envelope.identity.id, envelope.problem) == ("story.requested:3:42", None)


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (b"no json", "value"),
        (b'{"request_id": "r-1", "user_id": "u-1"}', "keywords"),
        (b'{"request_id": "r-2", "user_id": "u-1", "keywords": ["a"]}', "must stay"),
        (b'{"request_id": "r-1", "user_id": "u-1", "keywords": ["a"]}' + b" " * LIMIT, "bytes"),
    ],
)
def test_an_edit_must_be_a_valid_request_of_the_same_name(value: bytes, word: str) -> None:
    with pytest.raises(RequestFailure, match=word):
        again(died(make_record()), value)


def test_a_truncated_dead_letter_says_so() -> None:
    dead = died(make_record())
    assert letter(dead.key, None, truncated_headers(tuple(dead.headers), dead.value)).truncated


def test_the_envelope_is_that_of_the_request() -> None:
    """Its correlation, its user and its id."""
    dead = died(make_record(headers={"correlation_id": "c-1"}))
    envelope = original_envelope(dead, ORIGIN)
    assert (envelope.correlation_id, envelope.user_id) == ("c-1", "u-1")
    assert (envelope.identity.id, envelope.identity.attempt) == ("r-1", 1)
