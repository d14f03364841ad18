"""What every intake promises the engine, checked in memory and on a real Kafka."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Protocol

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.errors import KafkaError
from aiokafka.protocol.fetch import FetchRequest

from jiraiya_events.adapters.kafka.intake import KafkaIntake
from jiraiya_events.adapters.memory.intake import MemoryIntake
from jiraiya_events.adapters.memory.log import MemoryLog
from jiraiya_events.engine.errors import WriterFailed
from jiraiya_events.engine.ports import Intake
from jiraiya_events.engine.records import Partition


class Reading(Protocol):
    """An intake with an assignment of partition 0 of `topic`, ten records in it and in 1."""

    topic: str

    @property
    def intake(self) -> Intake:
        """The intake under test."""
        ...

    async def next(self) -> int:
        """Return the offset that is delivered next, however long it takes."""
        ...

    async def is_quiet(self) -> bool:
        """Wait a moment; tell whether nothing was delivered in it."""
        ...

    async def lose_before(self, offset: int) -> None:
        """Let retention delete the records of partition 0 before `offset`."""
        ...


class MemoryReading:
    """Reads the log in memory."""

    def __init__(self) -> None:
        self.topic = "in"
        self._log = MemoryLog()
        for number in range(20):
            self._log.append(Partition(self.topic, number % 2), b"k", b"v")
        self.intake: MemoryIntake = MemoryIntake(self._log)
        self.intake.assign([Partition(self.topic, 0)])

    async def next(self) -> int:
        """Take one step."""
        record = self.intake.step()
        assert record is not None
        return record.offset

    async def is_quiet(self) -> bool:
        """Take one step."""
        return self.intake.step() is None

    async def lose_before(self, offset: int) -> None:
        """Truncate."""
        self._log.truncate(Partition(self.topic, 0), offset)


class KafkaReading:
    """Reads a topic on a real broker."""

    def __init__(self, bootstrap: str, topic: str, consumer: AIOKafkaConsumer) -> None:
        self.topic = topic
        self.intake: KafkaIntake = KafkaIntake(lambda: consumer)
        self._bootstrap = bootstrap
        self._consumer = consumer

    async def next(self) -> int:
        """Wait for a record."""
        async with asyncio.timeout(30):
            return int((await self.intake.read(self._consumer)).offset)

    async def is_quiet(self) -> bool:
        """Wait a moment for a record."""
        try:
            async with asyncio.timeout(1.0):
                await self.intake.read(self._consumer)
        except TimeoutError:
            return True
        return False

    async def lose_before(self, offset: int) -> None:
        """Delete records as an administrator."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap)
        await admin.start()
        try:
            where = TopicPartition(self.topic, 0)
            await admin.delete_records({where: RecordsToDelete(before_offset=offset)})
        finally:
            await admin.close()


async def fill(bootstrap: str) -> str:
    """Create a topic of two partitions with ten records each; return its name."""
    topic = uuid.uuid4().hex
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, num_partitions=2, replication_factor=1)])
        await producer.start()
        for number in range(20):
            await producer.send_and_wait(topic, b"v", partition=number % 2)
    finally:
        await producer.stop()
        await admin.close()
    return topic


@pytest.fixture(params=["memory", "kafka"])
async def reading(request: pytest.FixtureRequest) -> AsyncIterator[Reading]:
    """Read one of the logs."""
    if request.param == "memory":
        yield MemoryReading()
        return
    bootstrap = request.getfixturevalue("kafka_bootstrap")
    topic = await fill(bootstrap)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False
    )
    consumer.assign([TopicPartition(topic, 0)])
    await consumer.start()
    yield KafkaReading(bootstrap, topic, consumer)
    await consumer.stop()


async def test_records_come_in_the_order_of_their_offsets(reading: Reading) -> None:
    """The log's order is the order of delivery."""
    assert [await reading.next() for _ in range(10)] == list(range(10))


async def test_a_seek_decides_what_comes_next(reading: Reading) -> None:
    """Forward over unread records, and back over read ones whatever was fetched ahead."""
    here = Partition(reading.topic, 0)
    assert await reading.next() == 0
    reading.intake.seek(here, 7)
    assert await reading.next() == 7
    reading.intake.seek(here, 2)
    assert await reading.next() == 2


async def test_a_paused_partition_delivers_nothing_until_it_is_resumed(reading: Reading) -> None:
    """Pausing loses nothing and repeats nothing."""
    here = Partition(reading.topic, 0)
    assert await reading.next() == 0
    reading.intake.pause(here)
    assert await reading.is_quiet()
    reading.intake.resume(here)
    assert await reading.next() == 1


async def test_what_was_fetched_outlives_a_pause(kafka_bootstrap: str) -> None:
    """Other partitions are read meanwhile, and each record crosses the network once."""
    topic = await fill(kafka_bootstrap)
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka_bootstrap, auto_offset_reset="earliest")
    consumer.assign([TopicPartition(topic, 0), TopicPartition(topic, 1)])
    await consumer.start()
    fetched: list[tuple[int, int]] = []
    send = consumer._client.send

    async def counting(node: int, request: object, **group: object) -> object:
        answer = await send(node, request, **group)
        if isinstance(request, FetchRequest):
            fetched.extend(
                (partition, len(records))
                for _, partitions in answer.topics
                for partition, *_, records in partitions
                if records
            )
        return answer

    consumer._client.send = counting
    intake = KafkaIntake(lambda: consumer)
    here, there = Partition(topic, 0), Partition(topic, 1)
    read: list[tuple[int, int]] = []
    for _ in range(10):
        for held, other in ((here, there), (there, here)):
            intake.pause(held)
            intake.resume(other)
            record = await intake.read(consumer)
            assert record.partition == other.partition
            read.append((record.partition, record.offset))
    await consumer.stop()
    assert sorted(read) == [(partition, n) for partition in (0, 1) for n in range(10)]
    assert sorted(partition for partition, _ in fetched) == [0, 1]


async def test_a_resume_reaches_a_reader_that_waits_already(kafka_bootstrap: str) -> None:
    """What it is to read was fetched long ago: nothing from the broker would wake it."""
    topic = await fill(kafka_bootstrap)
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka_bootstrap, auto_offset_reset="earliest")
    consumer.assign([TopicPartition(topic, 0)])
    await consumer.start()
    intake, here = KafkaIntake(lambda: consumer), Partition(topic, 0)
    assert (await intake.read(consumer)).offset == 0
    intake.pause(here)
    reading = asyncio.ensure_future(intake.read(consumer))
    while not consumer._fetcher._fetch_waiters:  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0)
    intake.resume(here)
    async with asyncio.timeout(5):
        assert (await reading).offset == 1
    await consumer.stop()


async def test_a_seek_does_not_resume(reading: Reading) -> None:
    """The engine seeks first and resumes when it has room."""
    here = Partition(reading.topic, 0)
    reading.intake.pause(here)
    reading.intake.seek(here, 5)
    assert await reading.is_quiet()
    reading.intake.resume(here)
    assert await reading.next() == 5


async def test_pausing_and_resuming_twice_is_harmless(reading: Reading) -> None:
    """The engine pauses a whole assignment whatever its state."""
    here = Partition(reading.topic, 0)
    reading.intake.pause(here)
    reading.intake.pause(here)
    reading.intake.resume(here)
    reading.intake.resume(here)
    assert await reading.next() == 0


async def test_the_position_is_the_next_offset_to_be_delivered(reading: Reading) -> None:
    """Not the last one read, and right after a seek as well."""
    here = Partition(reading.topic, 0)
    await reading.next()
    await reading.next()
    assert await reading.intake.position(here) == 2
    reading.intake.seek(here, 6)
    assert await reading.intake.position(here) == 6


async def test_the_beginning_is_what_retention_has_left(reading: Reading) -> None:
    """Where a group without progress starts."""
    here = Partition(reading.topic, 0)
    assert await reading.intake.beginning(here) == 0
    await reading.lose_before(4)
    assert await reading.intake.beginning(here) == 4


async def test_a_partition_that_is_not_assigned_is_left_alone(reading: Reading) -> None:
    """A late call of a lost session changes nothing and raises nothing."""
    foreign = Partition(reading.topic, 1)
    reading.intake.pause(foreign)
    reading.intake.resume(foreign)
    reading.intake.seek(foreign, 3)
    assert await reading.intake.position(foreign) is None
    assert [await reading.next() for _ in range(10)] == list(range(10))
    assert await reading.is_quiet()


async def test_the_beginning_of_a_foreign_partition_can_be_asked(reading: Reading) -> None:
    """A session may lose its partition while it opens."""
    assert await reading.intake.beginning(Partition(reading.topic, 1)) == 0


async def test_before_the_consumer_exists_calls_do_nothing_and_the_beginning_fails() -> None:
    """The engine may be asked before FastStream has made its consumer."""
    intake = KafkaIntake(lambda: None)
    here = Partition("in", 0)
    intake.pause(here)
    intake.resume(here)
    intake.seek(here, 1)
    assert await intake.position(here) is None
    assert intake.lag(here, 0) is None
    with pytest.raises(WriterFailed):
        await intake.beginning(here)


async def test_a_beginning_the_broker_cannot_tell_is_a_failed_writer(
    kafka_bootstrap: str,
) -> None:
    """The error is the engine's own, so that opening is tried again."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka_bootstrap)
    await consumer.start()
    consumer._request_timeout_ms = 300  # the start may take longer
    intake = KafkaIntake(lambda: consumer)
    try:
        with pytest.raises(WriterFailed):
            await intake.beginning(Partition(uuid.uuid4().hex, 0))
    finally:
        await consumer.stop()


@pytest.mark.parametrize("error", [AssertionError(), TimeoutError(), OSError(), KafkaError()])
async def test_whatever_the_client_runs_into_at_the_beginning_is_a_failed_writer(
    error: Exception,
) -> None:
    """Anything else would halt the partition for good."""

    class Consumer:
        async def beginning_offsets(self, _: object) -> dict[TopicPartition, int]:
            raise error

    with pytest.raises(WriterFailed):
        await KafkaIntake(Consumer).beginning(Partition("in", 0))
