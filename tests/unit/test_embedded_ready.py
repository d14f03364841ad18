"""The hand-made Metadata request and its answer."""

import struct

import pytest

from jiraiya_events.adapters.embedded.ready import brokers, metadata_request


def answer(*listed: tuple[str, int, str | None], correlation_id: int = 1) -> bytes:
    """Encode a Metadata answer, version 1, without its length."""
    encoded = struct.pack(">ii", correlation_id, len(listed))
    for host, port, rack in listed:
        name = host.encode()
        encoded += struct.pack(">ih", 1, len(name)) + name + struct.pack(">i", port)
        encoded += struct.pack(">h", -1 if rack is None else len(rack)) + (rack or "").encode()
    return encoded + struct.pack(">ii", 1, 0)


def test_the_request_carries_its_own_length() -> None:
    request = metadata_request()
    assert struct.unpack_from(">i", request)[0] == len(request) - 4


def test_brokers_are_read_with_and_without_a_rack() -> None:
    listed = answer(("127.0.0.1", 9092, None), ("kafka.example", 9093, "eu-1"))
    assert brokers(listed) == [("127.0.0.1", 9092), ("kafka.example", 9093)]


def test_a_broker_that_is_still_fenced_lists_nobody() -> None:
    assert brokers(answer()) == []


def test_an_answer_to_another_request_is_none() -> None:
    assert brokers(answer(("127.0.0.1", 9092, None), correlation_id=7)) == []


def test_an_answer_cut_short_is_refused() -> None:
    with pytest.raises(struct.error):
        brokers(answer(("127.0.0.1", 9092, None))[:12])
