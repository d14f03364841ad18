"""One partition of the dead letters in one operator's hands: a transactional producer.

Its `transactional.id` is `jiraiya-dlq.<dead letters' topic>/<partition>`, whatever the group of the
operator's settings: the lock is the partition's. Starting one fences the operator before:
InitProducerId raises the epoch and ends that one's transaction.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)

from jiraiya_events.adapters.kafka.batches import Sent, send_all
from jiraiya_events.adapters.kafka.connection import KafkaConnection
from jiraiya_events.adapters.kafka.dead_letters.marks import MarkReader
from jiraiya_events.adapters.kafka.dead_letters.scan import explained, in_words
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
from jiraiya_events.contract.marks import encode_mark, mark_key
from jiraiya_events.domain.errors import BrokerUnavailable, ServiceError
from jiraiya_events.engine.errors import OutputsRefused
from jiraiya_events.engine.records import Output, Partition
from jiraiya_events.ops.dead_letters.ports import AnotherOperator, Handled, Marks, TooLarge

log = logging.getLogger(__name__)

ABORT_TIMEOUT_S = 5.0

TRANSACTIONAL_PREFIX: Final = "jiraiya-dlq."
"""Operators need WRITE on transactional ids that start with it.

What follows is a topic, a slash, a partition: no id of the service, `<group>.<topic>.<partition>`,
is equal to one of these, whatever its group is called, since no topic's name has a slash.
"""

FORBIDDEN = (
    ClusterAuthorizationFailedError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)


class KafkaTakeover:
    """The port `Takeover`; `renew` opens it, `close` ends it."""

    def __init__(
        self,
        connection: KafkaConnection,
        partition: Partition,
        marks_topic: str,
        reader: MarkReader,
    ) -> None:
        self._connection = connection
        self._name = f"{TRANSACTIONAL_PREFIX}{partition.topic}/{partition.partition}"
        self._partition = partition.partition
        self._marks_topic = marks_topic
        self._reader = reader
        self._producer: AIOKafkaProducer | None = None
        self._in_transaction = False

    @property
    def marks(self) -> Marks:
        """The marks as they were after the takeover."""
        return self._reader.marks

    async def renew(self) -> None:
        """Fence whoever had the partition, then read every mark they may have written."""
        await self.close()
        producer = self._producer = transactional_producer(self._connection, self._name)
        try:
            async with asyncio.timeout(EPOCH_TIMEOUT_S):
                await start_producer(producer)
        except FORBIDDEN as error:
            raise BrokerUnavailable(self._forbidden(())) from error
        except (KafkaError, OSError, TimeoutError) as error:
            raise BrokerUnavailable(explained(self._connection, error)) from error
        with in_words(self._connection):
            await self._reader.catch_up()

    async def commit(self, batch: Sequence[Handled]) -> None:
        """Publish replays and marks in one transaction, and remove marks of no use any more.

        We hold the partition, so nobody else writes under these keys meanwhile.
        """
        outputs = [output for handled in batch for output in self._outputs(handled)]
        outlived = self._outlived(batch)
        outputs += [Output(self._marks_topic, self._key(offset), None) for offset in outlived]
        try:
            async with asyncio.timeout(COMMIT_TIMEOUT_S):
                await self._transact(outputs)
        except OutputsRefused as error:
            raise TooLarge(str(error)) from error
        except Exception as error:
            # aiokafka answers a dead producer with AssertionError and open bugs with KeyError.
            raise self._failure(error, outputs) from error
        self._reader.removed(self._partition, outlived)

    async def close(self) -> None:
        """End what is open: an open transaction would hold up the service until it times out."""
        producer, self._producer = self._producer, None
        if producer is None:
            return
        if self._in_transaction:
            self._in_transaction = False
            await _abort(producer)
        await close_producer(producer)

    async def _transact(self, outputs: Sequence[Output]) -> None:
        producer = self._producer
        if producer is None:
            msg = "not taken over"
            raise KafkaError(msg)
        await producer.begin_transaction()
        self._in_transaction = True
        sent: list[Sent] = []
        try:
            await send_all(producer, outputs, sent)
        finally:
            look_at_coming_errors(producer, sent)
        futures = (batch.future for batch in sent)
        check_sent(sent, await asyncio.gather(*futures, return_exceptions=True))
        await producer.commit_transaction()
        self._in_transaction = False

    def _failure(self, error: Exception, outputs: Sequence[Output]) -> ServiceError:
        """Return what a failed transaction means."""
        cause = transaction_error(self._producer) or error
        if isinstance(cause, FENCED) or isinstance(cause.__cause__, FENCED):
            return AnotherOperator(self._partition)
        if isinstance(cause, FORBIDDEN):
            return BrokerUnavailable(self._forbidden(outputs))
        return BrokerUnavailable(
            f"Kafka at {self._connection.bootstrap_servers} failed in a transaction ({cause!r}): "
            "run the same command again; it goes on where this one got to"
        )

    def _forbidden(self, outputs: Sequence[Output]) -> str:
        topics = " and ".join(dict.fromkeys(output.topic for output in outputs))
        on_topics = f"WRITE on the topics {topics}, and " if topics else ""
        return (
            f"Kafka does not let us write, and nothing was written: grant our user {on_topics}"
            f"WRITE on the transactional id {self._name} (better on all that start with "
            f"{TRANSACTIONAL_PREFIX})"
        )

    def _outlived(self, batch: Sequence[Handled]) -> list[int]:
        return self._reader.outlived(self._partition, batch[0].mark.at) if batch else []

    def _key(self, offset: int) -> bytes:
        return mark_key(self._partition, offset)

    def _outputs(self, handled: Handled) -> list[Output]:
        letter, replay = handled.letter, handled.replay
        mark = Output(self._marks_topic, self._key(letter.offset), encode_mark(handled.mark))
        if replay is None:
            return [mark]
        again = Output(
            replay.topic, replay.key, replay.value, replay.headers, partition=replay.partition
        )
        return [again, mark]


async def _abort(producer: AIOKafkaProducer) -> None:
    try:
        async with asyncio.timeout(ABORT_TIMEOUT_S):
            await producer.abort_transaction()
    except Exception as error:  # noqa: BLE001 - fenced or broken: the broker ends it by itself
        log.debug("a transaction was not aborted: %r", error)
