"""What every log of dead letters promises, in memory and on Kafka."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from jiraiya_events.adapters.kafka.connection import KafkaConnection
from jiraiya_events.adapters.kafka.dead_letters.log import open_dead_letter_log
from jiraiya_events.contract.letters import DeadLetter
from jiraiya_events.contract.marks import Action, Mark, encode_mark, mark_key
from jiraiya_events.contract.replays import replay_of
from jiraiya_events.contract.topics import Topics
from jiraiya_events.domain.errors import BrokerUnavailable
from jiraiya_events.ops.dead_letters.ports import (
    AnotherOperator,
    DeadLetterLog,
    Handled,
    TooLarge,
)
from jiraiya_events.ops.dead_letters.selection import Span
from tests.blackbox.messages import Seen
from tests.blackbox.reader import TopicReader
from tests.blackbox.waiting import wait_until
from tests.unit.ops.letters import MemoryDeadLetters, letter

MARK = Mark(Action.REPLAYED, 1_800_000_000.0)
PARTITIONS = 3
LARGEST = 4_096


@dataclass
class Kafka:
    """Topics of one test on the shared broker."""

    bootstrap: str
    topics: Topics

    @property
    def connection(self) -> KafkaConnection:
        return KafkaConnection(self.bootstrap)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[DeadLetterLog]:
        async with open_dead_letter_log(self.connection, self.topics) as log:
            yield log

    async def fill(self, letters: Sequence[DeadLetter]) -> None:
        """Write the letters where they say they are, in one committed transaction each."""
        producer = self.producer()
        for one in letters:
            producer.begin_transaction()
            headers: list[tuple[str, str | bytes | None]] = list(one.headers)
            producer.produce(
                self.topics.dlq, one.value, one.key, partition=one.partition, headers=headers
            )
            producer.commit_transaction(20)

    def producer(self) -> Producer:
        """Return a producer whose transactions are its own."""
        name = uuid4().hex
        producer = Producer(
            {"bootstrap.servers": self.bootstrap, "transactional.id": name, "log_level": 0}
        )
        producer.init_transactions(20)
        return producer

    def delete_letters_before(self, offsets: Mapping[int, int]) -> None:
        """Do what retention does."""
        places = [TopicPartition(self.topics.dlq, p, offset) for p, offset in offsets.items()]
        admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        for future in admin.delete_records(places).values():
            future.result(20)

    def kept_marks(self) -> set[bytes | None]:
        """Return the keys that compaction will keep."""
        with TopicReader(self.bootstrap, [self.topics.marks]) as reader:
            values = {record.key: record.value for record in reader.to_the_end(20)}
        return {key for key, value in values.items() if value is not None}

    def published(self, count: int) -> list[int]:
        """Return all of them; a commit is answered a moment before it can be read."""
        wait_until(lambda: len(self._replays()) >= count, 20, f"{count} replays")
        return sorted(int(record.header("x-dead") or -1) for record in self._replays())

    def _replays(self) -> list[Seen]:
        with TopicReader(self.bootstrap, [self.topics.requested]) as reader:
            return reader.to_the_end(20)


@dataclass
class Memory:
    """The same in memory: one log, opened by many."""

    log: MemoryDeadLetters

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[DeadLetterLog]:
        yield self.log

    async def fill(self, letters: Sequence[DeadLetter]) -> None:
        for one in letters:
            self.log.letters[one.partition].append(one)

    def published(self, _: int) -> list[int]:
        return sorted(int(dict(one.headers)["x-dead"] or -1) for one in self.log.published)


@pytest.fixture
def kafka(kafka_bootstrap: str) -> Kafka:
    """Create the topics of one test."""
    name = f"d{uuid4().hex[:12]}"
    topics = Topics(requested=f"{name}.in", dlq=f"{name}.dlq", marks=f"{name}.marks")
    sizes = {topics.requested: LARGEST, topics.dlq: 10 * LARGEST, topics.marks: LARGEST}
    admin = AdminClient({"bootstrap.servers": kafka_bootstrap, "log_level": 0})
    created = admin.create_topics(
        [
            # One partition of marks for all: whose transactions are open there is everybody's.
            NewTopic(topic, 1 if topic == topics.marks else PARTITIONS, 1,
                     config={"max.message.bytes": str(size)})
            for topic, size in sizes.items()
        ]
    )  # fmt: skip
    for future in created.values():
        future.result(20)
    return Kafka(kafka_bootstrap, topics)


@pytest.fixture(params=["memory", "kafka"])
def place(request: pytest.FixtureRequest) -> Kafka | Memory:
    """Return one of the logs."""
    if request.param == "kafka":
        found: Kafka = request.getfixturevalue("kafka")
        return found
    log = MemoryDeadLetters({0: [], 1: [], 2: []})
    log.too_large = lambda dead: len(dead.value or b"") > LARGEST
    return Memory(log)


def dead(number: int, partition: int = 0, value: bytes | None = b"{}") -> DeadLetter:
    """Return a dead letter that can be told from the others."""
    more = [("x-dead", str(number).encode()), ("twice", b"1"), ("twice", None)]
    return letter(partition, number, origin=(partition, number), value=value, more=more)


def handled(found: DeadLetter, place: Kafka | Memory) -> Handled:
    """Return its replay to the partition it came from."""
    assert found.origin is not None
    replay = replay_of(found, found.origin)
    if isinstance(place, Kafka):
        replay = type(replay)(
            place.topics.requested, replay.partition, 0, 0, replay.key, replay.value, replay.headers
        )
    return Handled(found, MARK, replay)


async def read(log: DeadLetterLog, partition: int) -> list[DeadLetter]:
    span = (await log.spans())[partition]
    return [one async for page in log.read(partition, span) for one in page]


async def test_committed_letters_are_read_in_order_with_every_byte(place: Kafka | Memory) -> None:
    """Null keys, null values and repeated headers too; other partitions apart."""
    await place.fill([dead(0), dead(1, value=None), dead(2, 1)])
    async with place.opened() as log:
        first, second = await read(log, 0)
        assert (first.value, second.value) == (b"{}", None)
        assert [pair for pair in first.headers if pair[0] == "twice"] == [
            ("twice", b"1"),
            ("twice", None),
        ]
        assert (first.origin, second.offset > first.offset) == (dead(0).origin, True)
        assert len(await read(log, 1)) == 1
        assert await read(log, 2) == []
        only = Span(first.offset, first.offset + 1)
        assert [page async for page in log.read(0, only)] == [[first]]


async def test_a_commit_publishes_and_marks(place: Kafka | Memory) -> None:
    """And the marks are there for whoever takes over afterwards."""
    await place.fill([dead(0), dead(1)])
    async with place.opened() as log:
        letters = await read(log, 0)
        async with log.take_over(0) as takeover:
            await takeover.commit([handled(one, place) for one in letters])
    async with place.opened() as log, log.take_over(0) as takeover:
        assert takeover.marks == {(0, one.offset): MARK for one in letters}
        assert await log.marks() == takeover.marks
    assert place.published(2) == [0, 1]


async def test_a_mark_alone_publishes_nothing(place: Kafka | Memory) -> None:
    await place.fill([dead(0)])
    discarded = Mark(Action.DISCARDED, 1_800_000_000.0)
    async with place.opened() as log:
        (one,) = await read(log, 0)
        async with log.take_over(0) as takeover:
            await takeover.commit([Handled(one, discarded)])
        async with log.take_over(0) as takeover:
            assert takeover.marks == {(0, one.offset): discarded}
    assert place.published(0) == []


async def test_a_takeover_fences_the_one_before_and_knows_all_its_marks(
    place: Kafka | Memory,
) -> None:
    """Only of the same partition."""
    await place.fill([dead(0), dead(1), dead(2, 1)])
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(place.opened())
        second = await stack.enter_async_context(place.opened())
        one, two = await read(first, 0)
        (three,) = await read(first, 1)
        older = await stack.enter_async_context(first.take_over(0))
        elsewhere = await stack.enter_async_context(first.take_over(1))
        await older.commit([handled(one, place)])
        newer = await stack.enter_async_context(second.take_over(0))
        assert (0, one.offset) in newer.marks
        with pytest.raises(AnotherOperator, match="partition 0"):
            await older.commit([handled(two, place)])
        await elsewhere.commit([handled(three, place)])
        await newer.commit([handled(two, place)])
    assert place.published(3) == [0, 1, 2]


async def test_what_is_too_large_commits_nothing_and_ends_nothing(place: Kafka | Memory) -> None:
    """After a renewal the others go through, with the marks of before still known."""
    await place.fill([dead(0), dead(1, value=b"x" * (LARGEST + 1)), dead(2)])
    async with place.opened() as log:
        small, large, later = await read(log, 0)
        async with log.take_over(0) as takeover:
            await takeover.commit([handled(small, place)])
            with pytest.raises(TooLarge):
                await takeover.commit([handled(large, place)])
            await takeover.renew()
            assert set(takeover.marks) == {(0, small.offset)}
            await takeover.commit([handled(later, place)])
    assert place.published(2) == [0, 2]


async def test_partitions_are_those_of_the_topic(kafka: Kafka) -> None:
    async with kafka.opened() as log:
        assert await log.partitions_of(kafka.topics.requested) == {0, 1, 2}
        assert await log.partitions_of("nothing.of.this.name") == frozenset()


async def test_a_takeover_waits_for_transactions_that_hide_marks(kafka: Kafka) -> None:
    """An open one, of another partition's operator, holds the last stable offset below them."""
    await kafka.fill([dead(0)])
    async with AsyncExitStack() as stack:
        log = await stack.enter_async_context(kafka.opened())
        (one,) = await read(log, 0)
        first = await stack.enter_async_context(log.take_over(0))
        rival = kafka.producer()
        rival.begin_transaction()
        rival.produce(kafka.topics.marks, encode_mark(MARK), mark_key(1, 9))
        rival.flush(20)
        await first.commit([handled(one, kafka)])
        second = await stack.enter_async_context(kafka.opened())
        assert await second.marks() == {}
        renewing = asyncio.ensure_future(stack.enter_async_context(second.take_over(0)))
        done, _ = await asyncio.wait({renewing}, timeout=1.5)
        assert not done
        await asyncio.to_thread(rival.abort_transaction, 20)
        assert set((await renewing).marks) == {(0, one.offset)}


async def test_a_mark_outlives_its_letter_by_a_day_and_no_more(kafka: Kafka) -> None:
    """Else every command would read more marks than the one before; others' are left alone."""
    await kafka.fill([dead(0), dead(1), dead(2), dead(3, 1), dead(4)])
    async with kafka.opened() as log:
        one, two, three, last = await read(log, 0)
        (elsewhere,) = await read(log, 1)
        for partition, letters in ((0, [one, two, three]), (1, [elsewhere])):
            async with log.take_over(partition) as takeover:
                await takeover.commit([handled(letter, kafka) for letter in letters])
    kafka.delete_letters_before({0: three.offset, 1: elsewhere.offset + 1})
    for hours, left in ((23, 4), (25, 2)):
        later = Mark(Action.DISCARDED, MARK.at + hours * 3600)
        async with kafka.opened() as log, log.take_over(0) as takeover:
            assert set(takeover.marks) >= {(0, three.offset)}
            await takeover.commit([Handled(last, later)])
        assert len(kafka.kept_marks() - {mark_key(0, last.offset)}) == left
    assert kafka.kept_marks() == {
        mark_key(0, three.offset), mark_key(0, last.offset), mark_key(1, elsewhere.offset),
    }  # fmt: skip


async def test_a_missing_topic_is_named(kafka: Kafka) -> None:
    """That of the marks only matters to whoever wants to write one."""
    nothing = Kafka(kafka.bootstrap, Topics(dlq="nothing.here"))
    with pytest.raises(BrokerUnavailable, match=r"nothing\.here.*topics apply"):
        async with nothing.opened():
            pass
    unmarked = Kafka(kafka.bootstrap, Topics(dlq=kafka.topics.dlq, marks="no.marks"))
    async with unmarked.opened() as log:
        assert await log.marks() == {}
        with pytest.raises(BrokerUnavailable, match=r"no\.marks.*topics apply"):
            async with log.take_over(0):
                pass
