"""What every transactional writer promises the engine, checked in memory and on a real Kafka."""

import asyncio
import gc
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import RequestTimedOutError
from aiokafka.protocol.produce import ProduceRequest

from jiraiya_events.adapters.kafka import transactional
from jiraiya_events.adapters.kafka.committed_offsets import read_committed
from jiraiya_events.adapters.kafka.connection import KafkaConnection
from jiraiya_events.adapters.kafka.writer import KafkaWriter, KafkaWriters
from jiraiya_events.adapters.memory.log import MemoryLog
from jiraiya_events.adapters.memory.writer import MemoryWriter
from jiraiya_events.engine.errors import Fenced, OutputsRefused, WriterFailed
from jiraiya_events.engine.ports import Writer
from jiraiya_events.engine.records import Committed, Headers, Output, Partition

MAX_BYTES = 100_000
TOO_LARGE = b"x" * (MAX_BYTES + 1_000)

Published = tuple[bytes | None, bytes | None, Headers]


class Place(Protocol):
    """A log with one input partition and one output topic of one partition."""

    source: Partition
    out: str

    def writer(self, partition: Partition | None = None) -> Writer:
        """Return an unopened writer of `source`, or of another partition."""
        ...

    async def published(self) -> list[Published]:
        """Return what a consumer of committed records sees, oldest first."""
        ...


class MemoryPlace:
    """The log in memory."""

    def __init__(self) -> None:
        self.source = Partition("in", 0)
        self.out = "out"
        self._log = MemoryLog(partitions=1, max_output_bytes=MAX_BYTES)

    def writer(self, partition: Partition | None = None) -> Writer:
        """Return an unopened writer."""
        return MemoryWriter(self._log, partition or self.source)

    async def published(self) -> list[Published]:
        """Return all outputs."""
        records = self._log.records.get(Partition(self.out, 0), [])
        return [(r.key, r.value, tuple(r.headers)) for r in records]


@dataclass
class KafkaPlace:
    """Topics of the test's own on a real broker."""

    bootstrap: str
    source: Partition
    out: str
    group: str

    def writer(self, partition: Partition | None = None) -> KafkaWriter:
        """Return an unopened writer."""
        writers = KafkaWriters(KafkaConnection(self.bootstrap), self.group)
        return writers(partition or self.source)

    async def published(self) -> list[Published]:
        """Read the output topic up to its last stable offset."""
        where = TopicPartition(self.out, 0)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
        )
        await consumer.start()
        try:
            consumer.assign([where])
            await consumer.seek_to_beginning(where)
            end = (await consumer.end_offsets([where]))[where]
            seen: list[Published] = []
            while await consumer.position(where) < end:
                fetched = await consumer.getmany(where, timeout_ms=200)
                seen += [(r.key, r.value, r.headers) for r in fetched.get(where, [])]
            return seen
        finally:
            await consumer.stop()


async def make_kafka_place(bootstrap: str) -> KafkaPlace:
    """Create topics nobody else uses."""
    name = uuid.uuid4().hex
    place = KafkaPlace(bootstrap, Partition(f"{name}.in", 0), f"{name}.out", f"{name}.group")
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        limits = {"max.message.bytes": str(MAX_BYTES)}
        await admin.create_topics(
            [
                NewTopic(place.source.topic, num_partitions=2, replication_factor=1),
                NewTopic(place.out, num_partitions=1, replication_factor=1, topic_configs=limits),
            ]
        )
    finally:
        await admin.close()
    return place


@pytest.fixture(params=["memory", "kafka"])
async def place(request: pytest.FixtureRequest) -> Place:
    """Return one of the logs."""
    if request.param == "memory":
        return MemoryPlace()
    return await make_kafka_place(request.getfixturevalue("kafka_bootstrap"))


@pytest.fixture
async def kafka(kafka_bootstrap: str) -> KafkaPlace:
    """Return topics on the real broker, for what only it can get wrong."""
    return await make_kafka_place(kafka_bootstrap)


@pytest.fixture
async def opened(place: Place) -> AsyncIterator[Writer]:
    """Open a writer on an empty log."""
    writer = place.writer()
    assert await writer.open() == Committed(None)
    yield writer
    await writer.close()


async def committed_in(place: Place) -> Committed:
    """Return what a new owner reads."""
    writer = place.writer()
    try:
        return await writer.open()
    finally:
        await writer.close()


def output(place: Place, value: bytes, key: bytes | None = b"k") -> Output:
    """Make an output without headers."""
    return Output(place.out, key, value)


def values(published: list[Published]) -> list[bytes | None]:
    """Return the values alone."""
    return [value for _, value, _ in published]


async def test_outputs_and_progress_appear_together(place: Place, opened: Writer) -> None:
    """One commit makes both visible, the metadata letter for letter."""
    await opened.commit([output(place, b"a"), output(place, b"b")], Committed(7, "1abc{|}~"))
    assert values(await place.published()) == [b"a", b"b"]
    assert await committed_in(place) == Committed(7, "1abc{|}~")


async def test_an_empty_log_says_that_nothing_was_committed(place: Place) -> None:
    """None is not offset 0: the engine then asks where the log begins."""
    assert await committed_in(place) == Committed(None)


async def test_progress_of_offset_zero_is_progress(place: Place, opened: Writer) -> None:
    """Zero read back is zero, not "nothing committed"."""
    await opened.commit([], Committed(0, ""))
    assert await committed_in(place) == Committed(0, "")


async def test_metadata_of_the_greatest_length_comes_back_whole(
    place: Place, opened: Writer
) -> None:
    """A full offset map fits the log's limit for metadata."""
    await opened.commit([], Committed(3, "1" + "z" * 3_999))
    assert await committed_in(place) == Committed(3, "1" + "z" * 3_999)


async def test_progress_without_outputs_is_committed(place: Place, opened: Writer) -> None:
    """Finished records need not publish anything for their progress to be kept."""
    await opened.commit([], Committed(4, "1x"))
    assert await place.published() == []
    assert await committed_in(place) == Committed(4, "1x")


async def test_a_later_commit_replaces_the_progress_and_adds_its_outputs(
    place: Place, opened: Writer
) -> None:
    """Commits of one epoch follow each other in order."""
    for number in range(5):
        await opened.commit([output(place, b"%d" % number)], Committed(number + 1))
    assert values(await place.published()) == [b"0", b"1", b"2", b"3", b"4"]
    assert await committed_in(place) == Committed(5)


async def test_order_holds_across_epochs(place: Place, opened: Writer) -> None:
    """What a new owner publishes stands behind what the old one did."""
    await opened.commit([output(place, b"old")], Committed(1))
    newer = place.writer()
    assert await newer.open() == Committed(1)
    await newer.commit([output(place, b"new")], Committed(2))
    await newer.close()
    assert values(await place.published()) == [b"old", b"new"]


async def test_a_new_epoch_fences_the_old_one(place: Place, opened: Writer) -> None:
    """The old owner can publish nothing and commit no progress once a new one has opened."""
    newer = place.writer()
    await newer.open()
    with pytest.raises(Fenced):
        await opened.commit([output(place, b"stale")], Committed(9))
    await newer.commit([output(place, b"fresh")], Committed(1))
    await newer.close()
    assert values(await place.published()) == [b"fresh"]
    assert await committed_in(place) == Committed(1)


async def test_an_old_epoch_cannot_commit_bare_progress(place: Place, opened: Writer) -> None:
    """A transaction of progress alone is fenced like any other."""
    newer = place.writer()
    await newer.open()
    with pytest.raises(Fenced):
        await opened.commit([], Committed(9))
    await newer.close()
    assert await committed_in(place) == Committed(None)


async def test_partitions_do_not_fence_each_other(place: Place, opened: Writer) -> None:
    """Each input partition has epochs and progress of its own."""
    other = place.writer(Partition(place.source.topic, 1))
    assert await other.open() == Committed(None)
    await opened.commit([], Committed(1))
    await other.commit([], Committed(2))
    await other.close()
    assert await committed_in(place) == Committed(1)


async def test_nothing_of_a_refused_transaction_is_visible(place: Place, opened: Writer) -> None:
    """An output too large for its topic is named, and takes its whole transaction with it."""
    outputs = [output(place, b"fits"), output(place, TOO_LARGE)]
    with pytest.raises(OutputsRefused) as refused:
        await opened.commit(outputs, Committed(2))
    assert 1 in refused.value.indices
    await opened.close()
    assert await committed_in(place) == Committed(None)
    assert await place.published() == []


async def test_a_refused_output_alone_is_the_one_that_is_named(
    place: Place, opened: Writer
) -> None:
    """The engine can replace exactly the output that the log does not take."""
    with pytest.raises(OutputsRefused) as refused:
        await opened.commit([output(place, TOO_LARGE)], Committed(1))
    assert refused.value.indices == frozenset({0})


async def test_after_a_refusal_the_next_writer_commits_something_smaller(
    place: Place, opened: Writer
) -> None:
    """A refusal leaves nothing behind that could disturb the next epoch."""
    with pytest.raises(OutputsRefused):
        await opened.commit([output(place, TOO_LARGE)], Committed(1))
    await opened.close()
    again = place.writer()
    assert await again.open() == Committed(None)
    await again.commit([output(place, b"smaller")], Committed(1))
    await again.close()
    assert values(await place.published()) == [b"smaller"]


@pytest.mark.parametrize("name", ["a", "\udcff"])
async def test_a_large_output_is_measured_compressed(kafka: KafkaPlace, name: str) -> None:
    """As its request was, which may have come compressed; whatever its headers are called."""
    large = Output(kafka.out, b"k" * 10 * MAX_BYTES, b"v", ((name, b"1"),))
    writer = kafka.writer()
    await writer.open()
    await writer.commit([output(kafka, b"before"), large, output(kafka, b"after")], Committed(3))
    await writer.close()
    assert await kafka.published() == [
        (b"k", b"before", ()), (large.key, b"v", large.headers), (b"k", b"after", ()),
    ]  # fmt: skip


async def test_small_outputs_are_not_refused_for_being_many(place: Place, opened: Writer) -> None:
    """The limit is one record's, however many go to one partition in one transaction."""
    many = [output(place, b"%03d" % n + b"y" * 2_000) for n in range(200)]
    await opened.commit(many, Committed(200))
    assert values(await place.published()) == [o.value for o in many]


@pytest.mark.parametrize("key", [None, b"", b"key", b"\xff\x00"])
@pytest.mark.parametrize("value", [None, b"", b"value", b"\xff\x00"])
async def test_keys_and_values_arrive_byte_for_byte(
    place: Place, opened: Writer, key: bytes | None, value: bytes | None
) -> None:
    """Null and empty are different things, for keys and for values."""
    await opened.commit([Output(place.out, key, value)], Committed(1))
    assert await place.published() == [(key, value, ())]


@pytest.mark.parametrize("key", [None, b"key"])
async def test_headers_arrive_byte_for_byte_and_in_order(
    place: Place, opened: Writer, key: bytes | None
) -> None:
    """Null values, bytes that are no UTF-8, duplicates: a dead letter keeps its headers."""
    headers = (("a", None), ("b", b"\xff\xfe"), ("a", b""), ("ключ", "значение".encode()))
    await opened.commit([Output(place.out, key, None, headers)], Committed(1))
    assert await place.published() == [(key, None, headers)]


async def test_a_writer_that_was_not_opened_or_was_closed_fails(place: Place) -> None:
    """A commit without an epoch is an error, never a silent nothing."""
    writer = place.writer()
    with pytest.raises(WriterFailed):
        await writer.commit([], Committed(1))
    await writer.open()
    await writer.close()
    with pytest.raises(WriterFailed):
        await writer.commit([], Committed(1))


async def test_closing_twice_or_unopened_is_harmless(place: Place) -> None:
    """The engine closes on every way out."""
    writer = place.writer()
    await writer.close()
    await writer.open()
    await writer.close()
    await writer.close()


async def test_a_commit_cut_short_happened_whole_or_not_at_all(place: Place) -> None:
    """Cancelled at any step, outputs and progress agree once the next epoch has opened."""
    expected = 0
    for step in range(12):
        writer = place.writer()
        start = (await writer.open()).offset or 0
        commit = asyncio.ensure_future(
            writer.commit([output(place, b"%d" % start)], Committed(start + 1))
        )
        for _ in range(step * step):
            await asyncio.sleep(0)
        commit.cancel()
        await asyncio.wait([commit])
        await writer.close()
        expected = (await committed_in(place)).offset or 0
        assert len(await place.published()) == expected


async def test_the_open_transaction_of_a_crashed_writer_dies_with_the_next_epoch(
    kafka: KafkaPlace,
) -> None:
    """What a killed process had already sent is aborted by `open`, at once."""
    crashed = kafka.writer()
    await crashed.open()
    producer = crashed._producer
    assert producer is not None
    await producer.begin_transaction()
    await (await producer.send(kafka.out, b"half", key=b"k"))
    where = TopicPartition(*kafka.source)
    await producer.send_offsets_to_transaction({where: 5}, kafka.group)
    newer = kafka.writer()
    assert await newer.open() == Committed(None)
    await newer.commit([output(kafka, b"whole")], Committed(1))
    await newer.close()
    await crashed.close()
    assert values(await kafka.published()) == [b"whole"]


async def test_what_becomes_of_a_commit_given_up_is_no_complaint(kafka: KafkaPlace) -> None:
    """A commit that ran out of time, and a producer that is fenced only then."""
    complaints: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, found: complaints.append(found))
    given_up = kafka.writer()
    await given_up.open()
    await committed_in(kafka)
    producer = given_up._producer
    assert producer is not None
    commit = asyncio.ensure_future(given_up.commit([], Committed(1)))
    while not producer._txn_manager._pending_txn_offsets:  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0)
    commit.cancel()
    await asyncio.wait([commit])
    await asyncio.wait([producer._sender.sender_task])
    del producer, commit
    await given_up.close()
    del given_up
    gc.collect()
    assert complaints == []


@pytest.mark.parametrize("silent", ["the partition's leader", "the broker"])
async def test_a_writer_whose_batches_nobody_takes_ends_at_once_and_whole(
    kafka: KafkaPlace, monkeypatch: pytest.MonkeyPatch, silent: str
) -> None:
    """It holds up no stop; a task left behind would go on trying for as long as we run."""
    monkeypatch.setattr(transactional, "CLOSE_TIMEOUT_S", 0.2)
    before = asyncio.all_tasks()
    writer = kafka.writer()
    await writer.open()
    producer = writer._producer
    assert producer is not None
    send = producer.client.send

    async def unheard(node: int, request: object, **group: object) -> object:
        if silent == "the broker" or isinstance(request, ProduceRequest):
            raise RequestTimedOutError
        return await send(node, request, **group)

    monkeypatch.setattr(producer.client, "send", unheard)
    commit = asyncio.ensure_future(writer.commit([output(kafka, b"a")], Committed(1)))
    await asyncio.wait([commit], timeout=0.2)
    commit.cancel()
    await asyncio.wait([commit], timeout=5)
    assert commit.cancelled()
    await writer.close()
    assert asyncio.all_tasks() == before
    assert not any(connection.connected() for connection in producer.client._conns.values())


async def test_progress_held_by_an_open_transaction_is_never_read_past(kafka: KafkaPlace) -> None:
    """The older offset would be published again; after the bound, the reason is told instead."""
    other = kafka.writer(Partition(kafka.source.topic, 1))
    await other.open()
    producer = other._producer
    assert producer is not None
    await producer.begin_transaction()
    await producer.send_offsets_to_transaction({TopicPartition(*kafka.source): 5}, kafka.group)
    with pytest.raises(WriterFailed, match="UNSTABLE_OFFSET_COMMIT"):
        await read_committed(producer.client, kafka.group, kafka.source, timeout_s=0.5)
    await producer.commit_transaction()
    assert await committed_in(kafka) == Committed(5)
    await other.close()


async def test_a_broker_that_is_away_is_a_failed_writer() -> None:
    """`open` answers in the engine's own words when nothing listens."""
    writer = KafkaWriters(KafkaConnection("127.0.0.1:1"), "group")(Partition("in", 0))
    with pytest.raises(WriterFailed):
        await writer.open()
    await writer.close()


async def test_what_the_client_asserts_while_it_starts_is_a_failed_writer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Proves that an open bug below us costs another attempt, not the partition."""

    async def assert_something(_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(AIOKafkaProducer, "start", assert_something)
    writer = KafkaWriters(KafkaConnection("127.0.0.1:1"), "group")(Partition("in", 0))
    with pytest.raises(WriterFailed, match="AssertionError"):
        await writer.open()
    await writer.close()


@pytest.mark.parametrize("content", [None, "half of a certificate"], ids=["missing", "damaged"])
async def test_a_certificate_that_cannot_be_read_is_a_failed_writer(
    tmp_path: Path, content: str | None
) -> None:
    """It may be just being replaced: the next attempt reads the file anew."""
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    connection = KafkaConnection("127.0.0.1:1", security_protocol="SSL", ssl_cafile=str(file))
    writer = KafkaWriters(connection, "group")(Partition("in", 0))
    with pytest.raises(WriterFailed, match="starting a new epoch"):
        await writer.open()
    await writer.close()
