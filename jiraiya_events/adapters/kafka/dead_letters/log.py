"""The dead letters' topic behind the port of `ops.dead_letters`."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from jiraiya_events.adapters.kafka.admin import cluster_client
from jiraiya_events.adapters.kafka.connection import KafkaConnection
from jiraiya_events.adapters.kafka.dead_letters.marks import MarkReader
from jiraiya_events.adapters.kafka.dead_letters.scan import consumer_of, in_words, read_pages
from jiraiya_events.adapters.kafka.dead_letters.takeover import KafkaTakeover
from jiraiya_events.adapters.kafka.topic_states import describe_topics
from jiraiya_events.contract.letters import DeadLetter
from jiraiya_events.contract.topics import Topics
from jiraiya_events.domain.errors import BrokerUnavailable
from jiraiya_events.engine.records import Partition
from jiraiya_events.ops.dead_letters.ports import Marks
from jiraiya_events.ops.dead_letters.selection import Span


class KafkaDeadLetterLog:
    """The port `DeadLetterLog`; `open_dead_letter_log` makes one."""

    def __init__(
        self, connection: KafkaConnection, topics: Topics, letters: AIOKafkaConsumer
    ) -> None:
        self._connection = connection
        self._topics = topics
        self._letters = letters
        self._places: list[TopicPartition] = []
        self._reader: MarkReader | None = None

    async def start(self, stable: AIOKafkaConsumer, raw: AIOKafkaConsumer) -> None:
        """Look what there is; `stable` and `raw` are for the marks."""
        topics = self._topics
        self._places = await self._places_of(topics.dlq)
        if not self._places:
            raise BrokerUnavailable(_missing(topics.dlq))
        marks = await self._places_of(topics.marks)
        oldest = {partition: span.start for partition, span in (await self.spans()).items()}
        self._reader = MarkReader(stable, raw, marks, oldest) if marks else None

    async def spans(self) -> Mapping[int, Span]:
        """Return the first and the last stable offset of every partition."""
        with in_words(self._connection):
            starts = await self._letters.beginning_offsets(self._places)
            ends = await self._letters.end_offsets(self._places)
        return {place.partition: Span(starts[place], ends[place]) for place in self._places}

    async def marks(self) -> Marks:
        """Return the committed marks; none before there is a topic for them."""
        if self._reader is None:
            return {}
        with in_words(self._connection):
            await self._reader.look()
        return self._reader.marks

    async def partitions_of(self, topic: str) -> frozenset[int]:
        """Return the partitions of a topic; none when it does not exist."""
        return frozenset(place.partition for place in await self._places_of(topic))

    async def read(self, partition: int, span: Span) -> AsyncGenerator[Sequence[DeadLetter], None]:
        """Yield the committed dead letters of `span`, page by page."""
        place = TopicPartition(self._topics.dlq, partition)
        with in_words(self._connection):
            async with aclosing(read_pages(self._letters, place, *span)) as pages:
                async for page in pages:
                    yield [_letter(record) for record in page]

    @asynccontextmanager
    async def take_over(self, partition: int) -> AsyncIterator[KafkaTakeover]:
        """Fence whoever else handles this partition, and only then read the marks."""
        if self._reader is None:
            raise BrokerUnavailable(_missing(self._topics.marks))
        mine = Partition(self._topics.dlq, partition)
        takeover = KafkaTakeover(self._connection, mine, self._topics.marks, self._reader)
        try:
            await takeover.renew()
            yield takeover
        finally:
            await takeover.close()

    async def _places_of(self, topic: str) -> list[TopicPartition]:
        async with cluster_client(self._connection) as client:
            state = (await describe_topics(client, [topic])).get(topic)
        return [TopicPartition(topic, n) for n in range(state.partitions if state else 0)]


@asynccontextmanager
async def open_dead_letter_log(
    connection: KafkaConnection, topics: Topics
) -> AsyncIterator[KafkaDeadLetterLog]:
    """Open the log; raises `BrokerUnavailable`, also when there is no topic of dead letters."""
    async with AsyncExitStack() as stack:
        with in_words(connection):
            letters = await _reading(connection, stack)
            stable = await _reading(connection, stack)
            raw = await _reading(connection, stack, committed=False)
            found = KafkaDeadLetterLog(connection, topics, letters)
            await found.start(stable, raw)
        yield found


async def _reading(
    connection: KafkaConnection, stack: AsyncExitStack, *, committed: bool = True
) -> AIOKafkaConsumer:
    consumer = consumer_of(connection, committed=committed)
    stack.push_async_callback(consumer.stop)
    await consumer.start()
    return consumer


def _letter(record: Any) -> DeadLetter:  # noqa: ANN401 - aiokafka's ConsumerRecord is untyped
    return DeadLetter(
        record.topic,
        record.partition,
        record.offset,
        record.timestamp,
        record.key,
        record.value,
        record.headers,
    )


def _missing(topic: str) -> str:
    return f"there is no topic {topic}: create it with `jiraiya topics apply`"
