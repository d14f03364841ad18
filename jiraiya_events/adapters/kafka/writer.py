"""The transactional writer of one input partition, on aiokafka's producer."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.structs import OffsetAndMetadata

from jiraiya_events.adapters.kafka.batches import Sent, send_all
from jiraiya_events.adapters.kafka.committed_offsets import read_committed
from jiraiya_events.adapters.kafka.connection import KafkaConnection
from jiraiya_events.adapters.kafka.transactional import (
    COMMIT_TIMEOUT_S,
    EPOCH_TIMEOUT_S,
    FENCED,
    check_sent,
    close_producer,
    look_at_coming_errors,
    start_producer,
    transaction_error,
    transactional_producer,
)
from jiraiya_events.engine.errors import Fenced, OutputsRefused, WriterFailed
from jiraiya_events.engine.records import Committed, Output, Partition

READ_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class KafkaWriters:
    """Makes writers: the engine's `WriterFactory`."""

    connection: KafkaConnection
    group: str

    def __call__(self, partition: Partition) -> "KafkaWriter":
        """Return an unopened writer."""
        return KafkaWriter(self.connection, self.group, partition)


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
        doing = "starting a new epoch"
        try:
            self._producer = transactional_producer(self._connection, name)
            async with asyncio.timeout(EPOCH_TIMEOUT_S):
                await start_producer(self._producer)
            doing = "reading what is committed"
            return await read_committed(
                self._producer.client, self._group, self._partition, timeout_s=READ_TIMEOUT_S
            )
        except WriterFailed:
            raise
        except FENCED as error:
            raise Fenced(str(error)) from error
        except Exception as error:
            # KafkaError, TimeoutError, OSError, the SSLError of a file that is being replaced; also
            # what aiokafka asserts while a broker goes away. Another attempt follows: were it not
            # a WriterFailed, the partition would halt.
            msg = f"{doing} for {self._partition}: {error!r}"
            raise WriterFailed(msg) from error

    async def commit(self, outputs: Sequence[Output], committed: Committed) -> None:
        """Publish `outputs` in order and the progress, in one transaction."""
        try:
            async with asyncio.timeout(COMMIT_TIMEOUT_S):
                await self._transact(outputs, committed)
        except (OutputsRefused, WriterFailed):
            raise
        except Exception as error:
            # aiokafka answers a dead producer with AssertionError and open bugs with KeyError;
            # whatever it is, this epoch is over and the log decides what happened.
            cause = transaction_error(self._producer) or error
            if isinstance(cause, FENCED) or isinstance(cause.__cause__, FENCED):
                raise Fenced(str(cause)) from error
            msg = f"committing {self._partition}: {cause!r}"
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
            look_at_coming_errors(producer, sent)
        futures = (batch.future for batch in sent)
        check_sent(sent, await asyncio.gather(*futures, return_exceptions=True))
        await producer.commit_transaction()
