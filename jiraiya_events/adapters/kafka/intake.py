"""The engine's reading side over the consumer that FastStream owns."""

from collections.abc import Callable

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from jiraiya_events.adapters.kafka.holding import Holding
from jiraiya_events.engine.errors import WriterFailed
from jiraiya_events.engine.records import Partition

log = structlog.get_logger(__name__)


class KafkaIntake:
    """Pauses, resumes and seeks; does nothing for partitions that are not assigned."""

    def __init__(self, source: Callable[[], AIOKafkaConsumer | None]) -> None:
        self._source = source
        self._holding = Holding()

    @property
    def consumer(self) -> AIOKafkaConsumer | None:
        """Return the consumer in use, None before the start and after the end."""
        return self._source()

    def is_member(self) -> bool:
        """Tell whether the group knows us; during a rebalance it does."""
        consumer = self.consumer
        return consumer is not None and bool(consumer._coordinator.member_id)  # noqa: SLF001 - nothing public tells or does it

    def rejoin(self) -> None:
        """Join the group again, as at a rebalance."""
        if consumer := self.consumer:
            consumer._coordinator.request_rejoin()  # noqa: SLF001 - nothing public tells or does it

    async def read(self, consumer: AIOKafkaConsumer) -> ConsumerRecord:
        """Return the next record to deliver. Raises `KafkaError`."""
        return await self._holding.read(consumer)

    def pause(self, partition: Partition) -> None:
        """Stop delivering."""
        if self._assigned(partition):
            self._holding.hold(TopicPartition(*partition))

    def resume(self, partition: Partition) -> None:
        """Deliver again."""
        if consumer := self._assigned(partition):
            self._holding.release(TopicPartition(*partition), consumer)

    def is_paused(self, partition: Partition) -> bool:
        """Tell whether a partition is not delivered for now."""
        return TopicPartition(*partition) not in self._holding

    def seek(self, partition: Partition, offset: int) -> None:
        """Deliver from `offset` on."""
        if consumer := self._assigned(partition):
            consumer.seek(TopicPartition(*partition), offset)

    async def beginning(self, partition: Partition) -> int:
        """Return the first offset of the log: where a group without progress begins."""
        where = TopicPartition(*partition)
        consumer = self.consumer
        try:
            if consumer is not None:
                first = await consumer.beginning_offsets([where])
                last = await consumer.end_offsets([where])
                _tell(partition, last[where] - first[where])
                return int(first[where])
        except Exception as error:
            # KafkaError, TimeoutError, OSError; also what aiokafka asserts while a broker goes
            # away. Were it not a WriterFailed, the partition would halt.
            msg = f"asking for the beginning of {partition}: {error!r}"
            raise WriterFailed(msg) from error
        msg = "the consumer has not started"
        raise WriterFailed(msg)

    async def position(self, partition: Partition) -> int | None:
        """Return the next offset to be delivered."""
        consumer = self._assigned(partition)
        if consumer is None:
            return None
        try:
            return int(await consumer.position(TopicPartition(*partition)))
        except (KafkaError, IllegalStateError):
            return None

    def lag(self, partition: Partition, frontier: int) -> int | None:
        """Return how many offsets lie between `frontier` and the end of the log."""
        consumer = self._assigned(partition)
        end = consumer.highwater(TopicPartition(*partition)) if consumer else None
        return None if end is None else max(0, end - frontier)

    def _assigned(self, partition: Partition) -> AIOKafkaConsumer | None:
        consumer = self.consumer
        if consumer is None or TopicPartition(*partition) not in consumer.assignment():
            return None
        return consumer


def _tell(partition: Partition, records: int) -> None:
    """Say that all of a log is worked on: an operator may have meant something else."""
    if records > 0:
        log.warning(
            "nothing is committed here, starting at the log's beginning; unless the group is new, "
            "its offsets were deleted or expired, and what it published is published again",
            topic=partition.topic,
            partition=partition.partition,
            offsets=records,
        )
