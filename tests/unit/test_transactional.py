"""What aiokafka leaves open when it is cut off."""

import asyncio

import pytest

from jiraiya_events.adapters.kafka.connection import KafkaConnection
from jiraiya_events.adapters.kafka.transactional import (
    close_producer,
    start_producer,
    transactional_producer,
)


class Silent:
    """A connection to a broker that never answers."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.closed = False

    async def send(self, _: object) -> None:
        """Take a question."""
        self.asked.set()
        await asyncio.Event().wait()

    def close(self) -> None:
        """As aiokafka's."""
        self.closed = True


async def test_a_start_that_is_cut_off_leaves_no_connection_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The one over which it asks for the first time; else asyncio complains of it as an error."""
    connection = Silent()

    async def connect(*_: object, **__: object) -> Silent:
        return connection

    monkeypatch.setattr("aiokafka.client.create_conn", connect)
    producer = transactional_producer(KafkaConnection("127.0.0.1:1"), "group.topic.0")
    starting = asyncio.create_task(start_producer(producer))
    await connection.asked.wait()
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert connection.closed
    await close_producer(producer)
