"""Records of `story.cancelled`: every form a request may have, and bytes that are none."""

import json
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from jiraiya_events.contract.envelope import read_envelope
from jiraiya_events.engine.records import Record
from jiraiya_events.handlers.cancel_reader import WITHDRAWN, CancelReader
from jiraiya_events.handlers.cancellations import Cancellations

BINARY = {
    "content-type": "application/json",
    "ce_specversion": "1.0",
    "ce_id": "the-cancel's-own",
    "ce_source": "/shop",
    "ce_type": "com.kuybi.story.cancelled.v1",
}
BODY = {"request_id": "r-1"}
STRUCTURED = {
    "specversion": "1.0",
    "id": "the-cancel's-own",
    "source": "/shop",
    "type": "com.kuybi.story.cancelled.v1",
    "data": BODY,
}


class Clock:
    """It is always the same second."""

    def now(self) -> float:
        """Return it."""
        return 1_800_000_000.0


class Scene:
    """A reader, and the requests it may withdraw."""

    def __init__(self) -> None:
        self.cancellations = Cancellations()
        self.reader = CancelReader(self.cancellations, Clock(), 32_768)

    def take(self, value: Any, headers: Any = ()) -> None:
        """Let it read a record; what is no bytes becomes JSON."""
        if value is not None and not isinstance(value, bytes):
            value = json.dumps(value).encode()
        wire = [(n, v.encode()) for n, v in headers.items()] if headers else []
        self.reader.take(Record("story.cancelled", 1, 2, 1_000, b"k", value, wire))

    def message(self, source: str, id_: str = "r-1") -> str | None:
        """Return what the request's user would be told."""
        body = json.dumps({"request_id": id_, "user_id": "u", "keywords": ["k"]}).encode()
        headers = [("ce_source", source.encode())] if source else []
        record = Record("story.requested", 0, 0, 0, b"k", body, headers)
        envelope = read_envelope(record, max_event_bytes=32_768)
        return self.cancellations.watch(envelope, record, Clock().now()).withdrawal.message


@pytest.mark.parametrize(
    ("value", "headers", "source"),
    [
        (BODY, BINARY, "/shop"),
        (STRUCTURED, {"content-type": "application/cloudevents+json"}, "/shop"),
        (BODY, {}, ""),
        ({**BODY, "reason": None, "more": 1}, {}, ""),
        (b"\xef\xbb\xbf" + json.dumps(BODY).encode(), {}, ""),
    ],
    ids=["binary", "structured", "plain", "more fields", "BOM"],
)
def test_a_cancel_may_have_any_form_a_request_may_have(
    value: Any, headers: Any, source: str
) -> None:
    """Its `ce_source` is the request's; plain JSON withdraws what was sent as plain JSON."""
    scene = Scene()
    scene.take(value, headers)
    assert scene.message(source) == WITHDRAWN
    assert scene.message("/elsewhere") is None
    assert scene.reader.skipped == 0


@pytest.mark.parametrize(
    ("value", "headers"),
    [
        (None, {}),
        (b"", {}),
        (b"\xff\xfe", {}),
        (b"[]", {}),
        (b"{" * 10_000, {}),
        ({}, {}),
        ({"request_id": ""}, {}),
        ({"request_id": 7}, {}),
        ({"request_id": "a\nb"}, {}),
        ({"request_id": "x" * 129}, {}),
        ({**BODY, "reason": "x" * 257}, {}),
        ({**BODY, "filler": "x" * 40_000}, {}),
        (BODY, {**BINARY, "ce_type": "com.kuybi.story.requested.v1"}),
        (BODY, {**BINARY, "ce_specversion": "2.0"}),
    ],
)
def test_what_is_no_cancel_is_counted_in_a_line_and_skipped(value: Any, headers: Any) -> None:
    """The line names the place and the fault, never the value."""
    scene = Scene()
    with structlog.testing.capture_logs() as lines:
        scene.take(value, headers)
        scene.take(value, headers)
    assert scene.cancellations.remembered == 0
    assert [line["skipped"] for line in lines] == [1, 2]
    assert (lines[0]["log_level"], lines[0]["partition"], lines[0]["offset"]) == ("warning", 1, 2)
    assert lines[0]["reason"]
    assert "xxxx" not in str(lines)


@given(
    st.one_of(st.none(), st.binary(max_size=200), st.text(max_size=100).map(str.encode)),
    st.lists(
        st.tuples(
            st.sampled_from([*BINARY, "x-replay-count"]) | st.text(max_size=9),
            st.none()
            | st.binary(max_size=40)
            | st.sampled_from([v.encode() for v in BINARY.values()]),
        ),
        max_size=6,
    ),
)
def test_no_bytes_and_no_headers_ever_raise(value: bytes | None, headers: Any) -> None:
    """Whatever is in the topic, the next record is read."""
    scene = Scene()
    with structlog.testing.capture_logs():
        scene.reader.take(Record("story.cancelled", 0, 0, 0, None, value, headers))
    assert scene.reader.skipped + scene.cancellations.remembered == 1


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("closed by the user", "closed by the user"),
        ("  two\n lines\t ", "two lines"),
        ("не нужно: „спасибо“", "не нужно: „спасибо“"),
        (
            "もう要りません、ありがとうございます、また今度で",
            "もう要りません、ありがとうございます、また今度で",
        ),
        ("नमस्ते, अब नहीं", "नमस्ते, अब नहीं"),
        ("", None),
        ("   ", None),
        ("<b>bold</b>", None),
        ("see https://example.com", None),
        ("key sk-abcdefghijklmnopqrstuvwxyz", None),
        ("{'a': 1}", None),
        ("\u202egnip", "gnip"),
    ],
)
def test_only_plain_words_of_a_reason_are_shown(reason: str, shown: str | None) -> None:
    """What else it may be is left out, and the request is withdrawn all the same."""
    scene = Scene()
    scene.take({**BODY, "reason": reason})
    assert scene.message("") == (WITHDRAWN if shown is None else f"{WITHDRAWN} Reason: {shown}")


def test_what_had_to_be_forgotten_is_told() -> None:
    """An operator sees that cancels come faster than they can be remembered."""
    scene = Scene()
    scene.cancellations._at_most = 1
    with structlog.testing.capture_logs() as lines:
        scene.take({"request_id": "r-1"})
        scene.take({"request_id": "r-2"})
    (line,) = lines
    assert (line["forgotten"], line["remembered"]) == (1, 1)
