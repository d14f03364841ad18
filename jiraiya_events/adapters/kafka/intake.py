"""The engine's reading side over the consumer that FastStream owns."""

from collections.abc import Callable

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from jiraiya_events.engine.errors import WriterFailed
from jiraiya_events.engine.records import Partition


class KafkaIntake:
    """Pauses, resumes and seeks; does nothing for partitions that are not assigned."""

    def __init__(self, source: Callable[[], AIOKafkaConsumer | None]) -> None:
        self._source = source

    @property
    def consumer(self) -> AIOKafkaConsumer | None:
        """Return the consumer in use, None before the start and after the end."""
        return self._source()

    def pause(self, partition: Partition) -> None:
        """Stop delivering."""
        if consumer := self._assigned(partition):
            consumer.pause(TopicPartition(*partition))

    def resume(self, partition: Partition) -> None:
        """Deliver again."""
        if consumer := self._assigned(partition):
            consumer.resume(TopicPartition(*partition))

    def seek(self, partition: Partition, offset: int) -> None:
        """Deliver from `offset` on."""
        if consumer := self._assigned(partition):
            consumer.seek(TopicPartition(*partition), offset)

    async def beginning(self, partition: Partition) -> int:
        """Return the first offset of the log."""
        where = TopicPartition(*partition)
        consumer = self.consumer
        try:
            if consumer is not None:
                first = await consumer.beginning_offsets([where])
                return int(first[where])
        except KafkaError as error:
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
