"""Marks survive their way over the wire, and none is ever taken for nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiraiya_events.contract.marks import (
    Action,
    Mark,
    decode_mark,
    encode_mark,
    mark_key,
    read_mark_key,
)


def test_a_mark_is_what_was_written() -> None:
    mark = Mark(Action.DISCARDED, 1769860800.125)
    assert decode_mark(encode_mark(mark)) == mark
    assert encode_mark(mark) == b'{"action": "discarded", "at": "2026-01-31T12:00:00.125Z"}'
    assert mark_key(3, 17) == b"3:17"
    assert read_mark_key(b"3:17") == (3, 17)


@pytest.mark.parametrize("key", [None, b"", b"3", b"3:17:1", b"a:1", b"\xff:1", b"-1:2"])
def test_a_key_of_something_else_is_no_mark(key: bytes | None) -> None:
    assert read_mark_key(key) is None


@given(st.binary() | st.sampled_from([b"{}", b"[]", b'{"action": "later", "at": "x"}', b"1"]))
def test_a_mark_nobody_can_read_still_marks(value: bytes) -> None:
    """To take it for none would replay a second time."""
    assert decode_mark(value).action in Action


def test_a_mark_without_a_readable_time_is_a_mark() -> None:
    assert decode_mark(b'{"action": "replayed", "at": "soon"}') == Mark(Action.REPLAYED, 0.0)
