"""Whatever bytes arrive: one valid terminal event, and a dead letter with every byte where due."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiraiya_events.engine.errors import Lethal
from jiraiya_events.engine.records import Record
from jiraiya_events.engine.verdicts import Work
from tests.poison.corpus import PUBLISHED_MS, WISH, Case, cases
from tests.poison.turn import ending_of, judge, new_handler

CASES = list(cases())

ATTRIBUTES = [
    "ce_id", "ce_source", "ce_type", "ce_specversion", "ce_time", "ce_expirytime",
    "ce_correlationid", "ce_traceparent", "CE_ID", "correlation_id", "x-correlation-id",
    "content-type", "traceparent", "tracestate", "x-replay-count", "x-replay-id",
    "x-replay-edited", "x-dlq-topic", "x-request-partition", "x-tenant", "authorization", "",
]  # fmt: skip
LIKELY = [
    b"application/cloudevents+json", b"application/json", b"1.0", b"r-1", b"1", b"999999",
    b"com.kuybi.story.requested.v1", b"2026-01-31T12:00:00Z", b"9999-12-31T23:59:60-23:59",
    b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", b"\xef\xbb\xbf", b"\xff",
]  # fmt: skip
TIMES = st.sampled_from([-1, 0, PUBLISHED_MS, 2**63 - 1, -(2**63)]) | st.integers(
    -(2**63), 2**63 - 1
)
NAMES = st.sampled_from(ATTRIBUTES) | st.binary(max_size=12).map(
    lambda name: name.decode("utf-8", "surrogateescape")
)
HEADERS = st.lists(
    st.tuples(NAMES, st.none() | st.binary(max_size=40) | st.sampled_from(LIKELY)), max_size=10
).map(tuple)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
JSON = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)
FIELDS = [
    "request_id", "user_id", "keywords", "genre", "tone", "audience", "language", "length",
    "title", "characters", "instructions", "model", "timeout_ms", "stream", "metadata",
    "correlation_id", "id", "source", "type", "specversion", "data", "data_base64",
]  # fmt: skip
WISHES = st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=4).map(lambda odd: WISH | odd)


def bent(value: bytes, at: int, what: bytes) -> bytes:
    """Put something into the middle of a value."""
    at %= len(value) + 1
    return value[:at] + what + value[at + len(what) // 2 :]


NEARLY = st.builds(
    bent,
    WISHES.map(lambda wish: json.dumps(wish).encode()),
    st.integers(0, 500),
    st.binary(max_size=4)
    | st.sampled_from([b"\\ud800", b"NaN", b"1e999", b"\x00", b"{", b"[" * 300]),
)
VALUES = (
    st.none()
    | st.binary(max_size=80)
    | NEARLY
    | WISHES.map(lambda wish: json.dumps({"specversion": "1.0", "id": "r", "data": wish}).encode())
)
RECORDS = st.builds(
    Record,
    topic=st.just("story.requested"),
    partition=st.integers(0, 2**31 - 1),
    offset=st.integers(0, 2**63 - 1),
    timestamp_ms=TIMES,
    key=st.none() | st.binary(max_size=12),
    value=VALUES,
    headers=HEADERS,
)


@given(RECORDS)
async def test_any_record_has_one_valid_ending(record: Record) -> None:
    """Any bytes for key, value, header names and header values; any timestamp."""
    await ending_of(record)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
async def test_a_known_poison_ends_as_it_should(case: Case) -> None:
    """The corpus: what has hurt some consumer once."""
    assert await ending_of(case.record) == case.expect


@given(RECORDS)
async def test_any_record_can_be_given_up(record: Record) -> None:
    """A bug of ours and a death of the process end validly too, unread if need be."""
    made = new_handler()
    for error in (ValueError("a bug"), Lethal(unread=False), Lethal(unread=True)):
        assert judge(record, list(made.crashed(Work(record, 0.0), error).outputs)) == "internal"


@given(RECORDS)
async def test_a_record_that_is_not_read_says_nothing_of_its_value(record: Record) -> None:
    """Its headers are all there is."""
    event = new_handler().crashed(Work(record, 0.0), Lethal(unread=True)).outputs[0]
    assert json.loads(event.value or b"")["user_id"] is None
