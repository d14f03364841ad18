"""The hand-made UnregisterBroker request and its answer."""

import struct

import pytest

from jiraiya_events.adapters.embedded.data_dir import NODE_ID
from jiraiya_events.adapters.embedded.unregister import error_code, unregister_request


def answer(code: int, correlation_id: int = 1) -> bytes:
    """Encode an UnregisterBroker answer, version 0, without its length and with no message."""
    return struct.pack(">iBih", correlation_id, 0, 0, code) + b"\0\0"


def test_the_request_names_our_node_and_carries_its_own_length() -> None:
    request = unregister_request()
    assert struct.unpack_from(">ihh", request) == (len(request) - 4, 64, 0)
    assert struct.unpack_from(">i", request, len(request) - 5) == (NODE_ID,)


@pytest.mark.parametrize("code", [0, 41, 102])
def test_the_code_is_read(code: int) -> None:
    assert error_code(answer(code)) == code


def test_an_answer_to_another_request_has_no_code() -> None:
    assert error_code(answer(0, correlation_id=7)) is None


def test_an_answer_cut_short_is_refused() -> None:
    with pytest.raises(struct.error):
        error_code(answer(0)[:9])
