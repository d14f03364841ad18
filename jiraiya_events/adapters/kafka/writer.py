"""The transactional writer of one input partition, on aiokafka's producer."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import (
    InvalidProducerEpoch,
    MessageSizeTooLargeError,
    ProducerFenced,
    RecordListTooLargeError,
)
from aiokafka.structs import OffsetAndMetadata

from jiraiya_events.adapters.kafka.batches import Sent, send_all
from jiraiya_events.adapters.kafka.committed_offsets import read_committed
from jiraiya_events.adapters.kafka.connection import KafkaConnection
from jiraiya_events.engine.errors import Fenced, OutputsRefused, WriterFailed
from jiraiya_events.engine.records import Committed, Output, Partition

log = logging.getLogger(__name__)

TRANSACTION_TIMEOUT_MS = 10_000
"""A cycle takes tens of milliseconds; whoever is longer away has been replaced."""

REQUEST_TIMEOUT_MS = 10_000

EPOCH_TIMEOUT_S = 20.0
READ_TIMEOUT_S = 10.0
COMMIT_TIMEOUT_S = 30.0
CLOSE_TIMEOUT_S = 5.0

RETRY_BACKOFF_MS = 20
"""Between two transactions the coordinator says "concurrent": 27 ms a cycle instead of 110."""

MAX_REQUEST_BYTES = 16 * 1024 * 1024
"""The broker is to judge sizes: its limits are set per topic, and it knows them."""

MAX_BATCH_BYTES = 64 * 1024
"""A topic's limit is one *batch*'s: larger ones had small outputs refused for being many.

A single larger record still travels, as a batch of its own.
"""

TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)
FENCED = (ProducerFenced, InvalidProducerEpoch)


@dataclass(frozen=True, slots=True)
class KafkaWriters:
    """Makes writers: the engine's `WriterFactory`."""

    connection: KafkaConnection
    group: str

    def __call__(self, partition: Partition) -> "KafkaWriter":
        """Return an unopened writer."""
        return KafkaWriter(self.connection, self.group, partition)


def transactional_producer(connection: KafkaConnection, name: str) -> AIOKafkaProducer:
    """Return an unstarted producer whose `transactional.id` is `name`."""
    return AIOKafkaProducer(
        **connection.client_options(),
        transactional_id=name,
        transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
        retry_backoff_ms=RETRY_BACKOFF_MS,
        max_request_size=MAX_REQUEST_BYTES,
        max_batch_size=MAX_BATCH_BYTES,
    )


class KafkaWriter:
    """One epoch of `transactional.id` = `<group>.<topic>.<partition>`."""

    def __init__(self, connection: KafkaConnection, group: str, partition: Partition) -> None:
        self._connection = connection
        self._group = group
        self._partition = partition
        self._producer: AIOKafkaProducer | None = None

    async def open(self) -> Committed:
        """Fence older epochs (InitProducerId), only then read what is committed."""
        name = f"{self._group}.{self._partition.topic}.{self._partition.partition}"
        self._producer = transactional_producer(self._connection, name)
        doing = "starting a new epoch"
        try:
            async with asyncio.timeout(EPOCH_TIMEOUT_S):
                await self._producer.start()
            doing = "reading what is committed"
            return await read_committed(
                self._producer.client, self._group, self._partition, timeout_s=READ_TIMEOUT_S
            )
        except WriterFailed:
            raise
        except FENCED as error:
            raise Fenced(str(error)) from error
        except Exception as error:
            # KafkaError, TimeoutError, OSError; also what aiokafka asserts while a broker goes
            # away. Another attempt follows: were it not a WriterFailed, the partition would halt.
            msg = f"{doing} for {self._partition}: {error!r}"
            raise WriterFailed(msg) from error

    async def commit(self, outputs: Sequence[Output], committed: Committed) -> None:
        """Publish `outputs` in order and the progress, in one transaction."""
        try:
            async with asyncio.timeout(COMMIT_TIMEOUT_S):
                await self._transact(outputs, committed)
        except (OutputsRefused, WriterFailed):
            raise
        except FENCED as error:
            raise Fenced(str(error)) from error
        except Exception as error:
            # aiokafka answers a dead producer with AssertionError and open bugs with KeyError;
            # whatever it is, this epoch is over and the log decides what happened.
            if isinstance(error.__cause__, FENCED):
                raise Fenced(str(error)) from error
            msg = f"committing {self._partition}: {error!r}"
            raise WriterFailed(msg) from error

    async def close(self) -> None:
        """Close what can be closed in time; an open transaction dies with the next epoch."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await close_producer(producer)

    async def _transact(self, outputs: Sequence[Output], committed: Committed) -> None:
        producer = self._producer
        if producer is None or committed.offset is None:
            msg = f"the writer of {self._partition} is not open"
            raise WriterFailed(msg)
        await producer.begin_transaction()
        sent: list[Sent] = []
        try:
            await send_all(producer, outputs, sent)
            position = TopicPartition(*self._partition)
            offsets = {position: OffsetAndMetadata(committed.offset, committed.metadata)}
            await producer.send_offsets_to_transaction(offsets, self._group)
        finally:
            _look_at_coming_errors(producer)
            futures = (batch.future for batch in sent)
            results = await asyncio.gather(*futures, return_exceptions=True)
        check_sent(sent, results)
        await producer.commit_transaction()


def check_sent(sent: Sequence[Sent], results: Sequence[object]) -> None:
    """Raise what the batches raised: refusals together, else the first error."""
    refused = [
        index
        for batch, result in zip(sent, results, strict=True)
        if isinstance(result, TOO_LARGE)
        for index in batch.indices
    ]
    if refused:
        msg = "the broker finds a record too large for its topic"
        raise OutputsRefused(frozenset(refused), msg)
    for result in results:
        if isinstance(result, BaseException):
            raise result


async def close_producer(producer: AIOKafkaProducer) -> None:
    """Close what can be closed in time, also a producer that was fenced; never raises."""
    closing = asyncio.ensure_future(_stop(producer))
    try:
        await asyncio.wait([closing], timeout=CLOSE_TIMEOUT_S)
    finally:
        closing.cancel()


async def _stop(producer: AIOKafkaProducer) -> None:
    try:
        await producer.stop()
    except Exception as error:  # noqa: BLE001 - a dead producer may fail in any way while closing
        log.debug("closing a producer failed: %r", error)
        await producer.client.close()
    finally:
        _look_at_errors(producer)


def _look_at_coming_errors(producer: AIOKafkaProducer) -> None:
    """Look at what becomes of offsets that were not sent in time: aiokafka shields their future."""
    for *_, future in producer._txn_manager._pending_txn_offsets:  # noqa: SLF001
        future.add_done_callback(_look)


def _look(future: asyncio.Future[object]) -> None:
    if not future.cancelled():
        future.exception()


def _look_at_errors(producer: AIOKafkaProducer) -> None:
    """Look at the futures of a fenced producer that aiokafka fails and nobody awaits.

    Else asyncio complains of each "exception was never retrieved".
    """
    accumulator = producer._message_accumulator  # noqa: SLF001
    unsent = [batch for batches in accumulator._batches.values() for batch in batches]  # noqa: SLF001
    unsent += accumulator._pending_batches  # noqa: SLF001
    waiters = [batch._drain_waiter for batch in unsent]  # noqa: SLF001
    waiters.append(producer._txn_manager.wait_for_transaction_end())  # noqa: SLF001
    for waiter in waiters:
        if waiter is not None and waiter.done():
            _look(waiter)
