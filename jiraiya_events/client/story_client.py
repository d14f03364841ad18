"""Publish requests and await their outcomes, over both output topics at once."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import Any, Final, Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.structs import RecordMetadata

from jiraiya_events.client.following import no_topic, poll, reader_at_end
from jiraiya_events.client.received import Received
from jiraiya_events.client.requests import (
    Sent,
    WireHeaders,
    cancel_body,
    event_headers,
    new_request_id,
    request_body,
)
from jiraiya_events.contract.event_types import EventType
from jiraiya_events.contract.topics import Topics
from jiraiya_events.domain.errors import BrokerUnavailable
from jiraiya_events.domain.request import StoryRequested

SOURCE: Final = "/jiraiya/client"
SEND_TIMEOUT_S: Final = 15.0

Header = tuple[str, bytes]


class StoryClient:
    """Use as `async with StoryClient(options) as client`; `options` are aiokafka's.

    Each request begins a trace of its own, `sampled` or not; None leaves that to whoever
    instruments aiokafka's producer. Entering the client notes where the output topics end, so
    that no outcome of a request published through it is missed, however fast it comes.
    """

    def __init__(
        self,
        options: Mapping[str, Any],
        topics: Topics | None = None,
        *,
        source: str = SOURCE,
        sampled: bool | None = True,
    ) -> None:
        self._options = options
        self._topics = topics or Topics()
        self._source = source
        self._sampled = sampled
        self._outcomes: dict[str, asyncio.Future[Received]] = {}
        self._exit = contextlib.AsyncExitStack()
        self._producer: AIOKafkaProducer | None = None
        self._there: frozenset[str] = frozenset()

    async def __aenter__(self) -> Self:
        """Connect; raises `BrokerUnavailable`."""
        async with contextlib.AsyncExitStack() as stack:
            outputs = (self._topics.generated, self._topics.failed)
            consumer = await stack.enter_async_context(reader_at_end(self._options, outputs))
            reading = asyncio.create_task(self._read(consumer), name="outcomes")
            stack.push_async_callback(_cancel, reading)
            producer = AIOKafkaProducer(**self._options, acks="all", enable_idempotence=True)
            stack.push_async_callback(producer.stop)
            await _bounded(producer.start())
            self._producer = producer
            self._exit = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Disconnect; whoever still waits is told that nothing more will come."""
        for future in self._outcomes.values():
            future.cancel()
        await self._exit.aclose()

    async def publish_request(
        self,
        request: StoryRequested,
        *,
        key: bytes | None = None,
        headers: Sequence[Header] = (),
    ) -> Sent:
        """Publish a request, keyed by its user unless `key` is given; makes an id if it has none.

        Raises `BrokerUnavailable`.
        """
        request_id = request.request_id or new_request_id()
        key = request.user_id.encode() if key is None else key
        return await self.publish_raw(request_id, request_body(request), key=key, headers=headers)

    async def publish_raw(
        self,
        request_id: str,
        body: bytes,
        *,
        key: bytes | None = None,
        headers: Sequence[Header] = (),
    ) -> Sent:
        """Publish any bytes as the request `request_id`, good or bad."""
        self._outcomes.setdefault(request_id, asyncio.get_running_loop().create_future())
        named = [*event_headers(request_id, self._source, sampled=self._sampled), *headers]
        position = await self._send(self._topics.requested, body, key, named)
        return Sent(request_id, position.partition, position.offset)

    async def cancel(
        self, request_id: str, *, reason: str | None = None, key: bytes | None = None
    ) -> None:
        """Withdraw a request of this client's source; `key` is the request's.

        Its outcome comes as ever: `cancelled`, or another when this was too late. Raises
        `BrokerUnavailable`, and ValueError for an id or a reason that is too long.
        """
        body = cancel_body(request_id, reason)
        kind = EventType.CANCELLED
        headers = event_headers(new_request_id(), self._source, kind, sampled=self._sampled)
        await self._send(self._topics.cancelled, body, key, headers)

    async def wait_outcome(self, request_id: str, timeout_s: float) -> Received:
        """Return the first outcome of a request published here.

        Raises `TimeoutError`, or `BrokerUnavailable` when reading failed.
        """
        async with asyncio.timeout(timeout_s):
            return await asyncio.shield(self._outcomes[request_id])

    async def _send(
        self, topic: str, body: bytes, key: bytes | None, headers: WireHeaders
    ) -> RecordMetadata:
        if self._producer is None:
            msg = "the client is not connected: use it with `async with`"
            raise RuntimeError(msg)
        await self._look_for(topic, self._producer)
        return await _bounded(self._producer.send_and_wait(topic, body, key=key, headers=headers))

    async def _look_for(self, topic: str, producer: AIOKafkaProducer) -> None:
        """Raise for a topic that is missing: the producer would wait for it, or create it."""
        if topic not in self._there:
            cluster = await _bounded(producer.client.fetch_all_metadata())
            self._there = frozenset(cluster.topics())
        if topic not in self._there:
            raise no_topic(topic)

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        try:
            while True:
                for record in await poll(consumer):
                    waiting = self._outcomes.get(record.request_id or "")
                    if waiting is not None and not waiting.done():
                        waiting.set_result(record)
        except KafkaError as error:
            self._fail(BrokerUnavailable(f"reading the outcomes failed: {error}"))

    def _fail(self, error: BrokerUnavailable) -> None:
        for waiting in self._outcomes.values():
            if not waiting.done():
                waiting.set_exception(error)


async def _bounded(work: Any) -> Any:  # noqa: ANN401 - aiokafka is untyped
    try:
        async with asyncio.timeout(SEND_TIMEOUT_S):
            return await work
    except TimeoutError as error:
        msg = f"Kafka has not answered for {SEND_TIMEOUT_S:.0f} s; `jiraiya doctor` tells why"
        raise BrokerUnavailable(msg) from error
    except (KafkaError, OSError) as error:
        msg = f"Kafka does not take the event: {error}; `jiraiya doctor` tells why"
        raise BrokerUnavailable(msg) from error


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
