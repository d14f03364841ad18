"""Publishing `story.progress`: best effort, beside the transactions, never in anybody's way.

A producer of its own, without idempotence and with `acks=1`, is started when the first event
comes. Events wait in a bounded buffer while one batch is on its way; what Kafka does not take is
lost and counted. Nothing here is awaited by a request: whatever happens to the topic, the rights or
the broker costs progress alone.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from contextvars import Context
from dataclasses import replace
from typing import Final

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import TopicAuthorizationFailedError

from jiraiya_events.adapters.kafka.batches import Sent, partition_of, send_all
from jiraiya_events.adapters.kafka.connection import KafkaConnection
from jiraiya_events.adapters.kafka.topic_states import partitions_of
from jiraiya_events.adapters.kafka.transactional import MAX_BATCH_BYTES
from jiraiya_events.domain.errors import BrokerUnavailable
from jiraiya_events.engine.records import Output

log = structlog.get_logger(__name__)

MOST_WAITING: Final = 1_000
"""Events that wait; of more the oldest are dropped."""

LINGER_S: Final = 0.01
"""How long an event waits for company."""

REQUEST_TIMEOUT_MS: Final = 3_000
"""What was not taken by then is out of date: the story goes on meanwhile."""

AGAIN_S: Final = (1.0, 15.0)
"""How long it waits after a failure: doubling, from the first to the second."""

STOP_S: Final = 6.0
"""How long stopping may take: what is on its way ends within the request's time-out."""

_FULL: Final = f"more than {MOST_WAITING} events wait: Kafka takes them too slowly"


class ProgressWriter:
    """A `ProgressSink` for one topic; `count` hears of events that were `sent` or `dropped`."""

    def __init__(
        self, connection: KafkaConnection, topic: str, count: Callable[[str, int], None]
    ) -> None:
        self._connection = connection
        self._topic = topic
        self._count = count
        self._waiting: deque[Output] = deque()
        self._more = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._trouble: str | None = None

    def publish(self, output: Output) -> None:
        """Take one event."""
        if self._stopping.is_set():
            self._count("dropped", 1)
            return
        if len(self._waiting) == MOST_WAITING:
            self._waiting.popleft()
            self._count("dropped", 1)
            self._fail(self._trouble or _FULL)
        self._waiting.append(output)
        self._more.set()
        if self._task is None:
            loop = asyncio.get_running_loop()
            # In a context of its own: it outlives the request that happens to be the first.
            self._task = loop.create_task(self._run(), name="progress", context=Context())

    async def stop(self) -> None:
        """Send what waits, if Kafka takes it, and close; harmless when nothing was published."""
        self._stopping.set()
        self._more.set()
        if self._task is None:
            return
        # A request that is on its way ends by itself; cut off, aiokafka leaves errors behind.
        await asyncio.wait([self._task], timeout=STOP_S)
        self._task.cancel()
        self._count("dropped", len(self._take()))

    async def _run(self) -> None:
        """Publish until stopped, whatever happens."""
        first, longest = AGAIN_S
        wait = first
        while self._waiting or not self._stopping.is_set():
            try:
                await self._serve()
            except Exception as error:  # noqa: BLE001 - see above
                wait = min(wait * 2, longest) if self._trouble else first
                # By the next time all of it will be out of date.
                self._count("dropped", len(self._take()))
                self._fail(_explain(error, self._topic), error)
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        await self._stopping.wait()

    async def _serve(self) -> None:
        async with self._producer() as producer:
            # Asked here, since the producer's own question may create the topic.
            partitions = await partitions_of(producer.client, self._topic)
            while self._waiting or not self._stopping.is_set():
                await self._more.wait()
                self._more.clear()
                await asyncio.sleep(LINGER_S)
                if outputs := self._take():
                    await self._send(producer, [_placed(one, partitions) for one in outputs])
                    self._recover()

    @asynccontextmanager
    async def _producer(self) -> AsyncIterator[AIOKafkaProducer]:
        producer = AIOKafkaProducer(
            **self._connection.client_options(),
            acks=1,
            enable_idempotence=False,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            max_batch_size=MAX_BATCH_BYTES,
        )
        try:
            await producer.start()
            yield producer
        finally:
            await producer.stop()

    async def _send(self, producer: AIOKafkaProducer, outputs: Sequence[Output]) -> None:
        """Send them, a batch for each partition, and wait; raises when some were not taken."""
        sent: list[Sent] = []
        try:
            await send_all(producer, outputs, sent)
        finally:
            results = await asyncio.gather(*(one.future for one in sent), return_exceptions=True)
            refused = [result for result in results if isinstance(result, BaseException)]
            taken = sum(
                len(one.indices)
                for one, result in zip(sent, results, strict=True)
                if not isinstance(result, BaseException)
            )
            self._count("sent", taken)
            self._count("dropped", len(outputs) - taken)
        if refused:
            raise refused[0]

    def _recover(self) -> None:
        if self._trouble is not None and len(self._waiting) < MOST_WAITING // 2:
            self._trouble = None
            log.warning("the progress of stories is published again", topic=self._topic)

    def _take(self) -> list[Output]:
        outputs = list(self._waiting)
        self._waiting.clear()
        return outputs

    def _fail(self, reason: str, error: Exception | None = None) -> None:
        if reason != self._trouble:
            log.warning(
                "the progress of stories is not published; the stories are",
                reason=reason,
                error=repr(error) if error else None,
            )
        self._trouble = reason


def _placed(output: Output, partitions: Sequence[int]) -> Output:
    """Return the event where its key belongs; without a key, where its request's id does.

    So that the events of one request stay in order.
    """
    key = output.key
    if key is None:
        key = next((value for name, value in output.headers if name == "ce_causationid"), None)
    return replace(output, partition=partition_of(key, partitions))


def _explain(error: BaseException, topic: str) -> str:
    if isinstance(error, TopicAuthorizationFailedError):
        return f"we may not write to the topic {topic}: grant Write on it to the service's user"
    if isinstance(error, BrokerUnavailable):
        return str(error)
    return f"Kafka does not take it on the topic {topic}; it is tried again"
