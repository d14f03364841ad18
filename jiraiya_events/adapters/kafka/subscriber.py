"""The seam between FastStream and the engine.

FastStream builds the consumer, joins the group and reads; `EngineSubscriber.consume_one` feeds
the engine instead of calling the handler; the engine calls `call` when a record's turn has
come, and FastStream runs its middlewares and the handler as ever. FastStream's subscriber
factory is hard-coded, so the class is swapped on the instance it made. All of this is
semi-private: FastStream is pinned to its minor version and
`tests/contracts/test_faststream_seam.py` fails loudly when the seam moves.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, cast

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from faststream.kafka import KafkaMessage
from faststream.kafka.message import FAKE_CONSUMER
from faststream.kafka.subscriber.usecase import DefaultSubscriber

from jiraiya_events.engine.engine import Engine
from jiraiya_events.engine.records import Partition, Record
from jiraiya_events.engine.turns import MEANT
from jiraiya_events.engine.verdicts import Verdict, Work

log = structlog.get_logger(__name__)

AGAIN_S = 1.0

YIELD_EVERY = 64
"""Prefetched records arrive without the loop ever being free: let the others in between."""


Read = Callable[[AIOKafkaConsumer], Awaitable[ConsumerRecord]]


class EngineSubscriber(DefaultSubscriber):
    """A FastStream subscriber whose records go to the engine."""

    # No slots of its own: swapping `__class__` needs the same layout.
    __slots__ = ()

    deliver: Callable[[Record], None]
    read: Read
    _since_yield: int

    @classmethod
    def install(
        cls, subscriber: DefaultSubscriber, deliver: Callable[[Record], None], read: Read
    ) -> "EngineSubscriber":
        """Turn the subscriber FastStream made into one of ours."""
        subscriber.__class__ = cls
        installed = cast("EngineSubscriber", subscriber)
        installed.deliver = deliver
        installed.read = read
        installed._since_yield = 0  # noqa: SLF001 - it is ours by now
        return installed

    async def get_msg(self, consumer: AIOKafkaConsumer) -> ConsumerRecord:
        """Read one record; FastStream waits 5 s after an error, silently without a logger."""
        try:
            return await self.read(consumer)
        except KafkaError as error:
            log.warning("reading from Kafka failed; trying again", error=repr(error))
            raise

    async def _run_consume_loop(self, consumer: AIOKafkaConsumer) -> None:
        """Read until stopped, whatever happens: a reader that died would look like an idle one."""
        while self.running:
            try:
                await super()._run_consume_loop(consumer)
            except MEANT:
                raise
            except BaseException as error:
                log.exception("reading from Kafka stopped; starting it again", error=repr(error))
                await asyncio.sleep(AGAIN_S)
            else:
                return

    async def consume_one(self, msg: ConsumerRecord) -> None:
        """Hand a record to the engine, which never blocks."""
        self.deliver(to_record(msg))
        self._since_yield += 1
        if self._since_yield >= YIELD_EVERY:
            self._since_yield = 0
            await asyncio.sleep(0)

    def get_log_context(self, message: Any) -> dict[str, str]:  # noqa: ANN401, ARG002 - FastStream's
        """Return nothing: FastStream looks for a topic on the raw message, which is `Work`."""
        return {}

    async def call(self, work: Work) -> Verdict:
        """Run middlewares and handler for a record whose turn has come."""
        response = await self.process_message(work)
        verdict: Verdict = response.body
        return verdict


class EngineListener(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is untyped
    """Tells the engine of assignments; returns at once, for heartbeats stop meanwhile.

    `lost_place` is asked before the group is joined again, and says that we are not to.
    """

    def __init__(
        self, engine: Callable[[], Engine], lost_place: Callable[[], bool] = lambda: False
    ) -> None:
        self._engine = engine
        self._lost_place = lost_place
        self.assignments = 0
        self.on_assigned: Callable[[], None] = lambda: None

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Stop reading and starting."""
        self._engine().revoke(Partition(p.topic, p.partition) for p in revoked)
        if self._lost_place():
            # Ends aiokafka's coordination where it stands: any other way it would join again.
            raise asyncio.CancelledError

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Adopt the assignment."""
        self.assignments += 1
        self.on_assigned()
        self._engine().assign(Partition(p.topic, p.partition) for p in assigned)


async def parse(message: ConsumerRecord | Work) -> KafkaMessage:
    """Wrap a record for FastStream without looking inside, so that nothing can fail.

    The engine passes `Work`; FastStream's test broker passes plain consumer records.
    """
    work = message if isinstance(message, Work) else Work(to_record(message), 0.0)
    return KafkaMessage(
        raw_message=work,  # FastStream only passes it through
        body=work.record.value or b"",
        headers={},
        consumer=FAKE_CONSUMER,
    )


async def decode(message: KafkaMessage) -> Work:
    """Give the handler the work itself; decoding is the handler's first stage."""
    return cast("Work", message.raw_message)


def to_record(message: ConsumerRecord) -> Record:
    """Return the engine's record."""
    return Record(
        message.topic,
        message.partition,
        message.offset,
        message.timestamp,
        message.key,
        message.value,
        message.headers,
    )
