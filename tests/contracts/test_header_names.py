"""Header names that are not UTF-8: read, kept and written, with aiokafka's seam held in place."""

import inspect
import uuid
from collections.abc import AsyncIterator, Sequence

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchPy
from hypothesis import given
from hypothesis import strategies as st

from jiraiya_events.adapters.kafka import undecodable
from jiraiya_events.adapters.kafka.batches import Sent, send_all
from jiraiya_events.adapters.kafka.connection import KafkaConnection
from jiraiya_events.adapters.kafka.undecodable import AnyNameBatch, read_any_header_name
from jiraiya_events.engine.records import Headers, Output

READ_COMMITTED = 1
WHERE = TopicPartition("in", 0)
NO_TEXT = b"x-\xff\xfe".decode("utf-8", "surrogateescape")
BAD: Headers = (("a", b"1"), (NO_TEXT, b"\xff"), (NO_TEXT, None))
GOOD: Headers = (("a", b"1"), ("", None), ("ümlaut", b""))
CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}


def batch(
    *headers: Headers,
    first: int = 0,
    codec: int = 0,
    producer: int = -1,
    in_transaction: bool = False,
) -> bytes:
    """Return a batch as a broker stores it, with a record for each of `headers`."""
    made = AnyNameBatch(transactional=in_transaction)
    made._builder._compression_type = codec
    made._set_producer_state(producer, 0, 0)
    for given_headers in headers:
        made.append(timestamp=1, key=b"k", value=b"v" * 200, headers=given_headers)
    stored = bytearray(made._build())
    stored[:8] = first.to_bytes(8)
    return bytes(stored)


def records(
    data: bytes, start: int = 0, aborted: Sequence[tuple[int, int]] = ()
) -> fetcher.PartitionRecords:
    """Return what the fetcher makes of a fetch from `start` on."""
    read_any_header_name()
    kept = fetcher.MemoryRecords(data)
    return fetcher.PartitionRecords(WHERE, kept, aborted, start, None, None, True, READ_COMMITTED)


def seen(read: Sequence[ConsumerRecord]) -> list[tuple[int, Headers]]:
    return [(record.offset, record.headers) for record in read]


def test_connecting_is_enough() -> None:
    """Nobody has to remember to ask for it."""
    KafkaConnection("nobody:1")
    assert fetcher.PartitionRecords is undecodable._ReadableRecords
    assert fetcher.MemoryRecords is undecodable._KeptRecords


def test_aiokafka_is_as_we_know_it() -> None:
    """What the replaced parts rely on, by name."""
    assert "MemoryRecords(part_data[-1])" in inspect.getsource(fetcher.Fetcher._proc_fetch_request)
    assert "PartitionRecords(" in inspect.getsource(fetcher.Fetcher._proc_fetch_request)
    assert '.decode("utf-8")' in inspect.getsource(_DefaultRecordBatchPy._read_msg)
    assert "self._builder" in inspect.getsource(BatchBuilder._set_producer_state)


def test_without_us_such_a_record_cannot_be_read() -> None:
    """Else all of this could go."""
    with pytest.raises(UnicodeDecodeError):
        list(DefaultRecordBatch(batch(BAD)))


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
def test_every_record_is_read_once_and_in_order(codec: int) -> None:
    """Batches before, in and behind the bad one; compressed in any of Kafka's ways, or not."""
    data = (
        batch(GOOD, GOOD)
        + batch(GOOD, BAD, GOOD, BAD, first=2, codec=codec)
        + batch(GOOD, first=6)
        + batch(BAD, first=9)
    )
    found = records(data)
    assert seen(list(found)) == [
        (0, GOOD), (1, GOOD), (2, GOOD), (3, BAD), (4, GOOD), (5, BAD), (6, GOOD), (9, BAD),
    ]  # fmt: skip
    assert found.next_fetch_offset == 10


@pytest.mark.parametrize("start", range(4))
def test_reading_starts_where_it_was_asked_to(start: int) -> None:
    """A fetch brings whole batches."""
    found = records(batch(BAD, GOOD, BAD, GOOD), start)
    assert [record.offset for record in found] == list(range(start, 4))


def test_an_incomplete_batch_at_the_end_is_left_for_the_next_fetch() -> None:
    """As a fetch limit cuts it."""
    whole = batch(BAD)
    found = records(whole + batch(GOOD, first=1)[:-1])
    assert [record.offset for record in found] == [0]
    assert found.next_fetch_offset == 1


def test_an_aborted_transaction_stays_aborted() -> None:
    """What the fetch says of it before the bad record still holds behind it."""
    data = (
        batch(GOOD, producer=5, in_transaction=True)
        + batch(BAD, first=1)
        + batch(BAD, first=2, producer=5, in_transaction=True)
        + batch(GOOD, first=3)
    )
    assert [record.offset for record in records(data, aborted=[(5, 0)])] == [1, 3]


def test_a_damaged_batch_is_still_an_error() -> None:
    """Its bytes are not what was sent: nothing may be made of them."""
    data = bytearray(batch(BAD))
    data[-1] ^= 1
    with pytest.raises(CorruptRecordException):
        list(records(bytes(data)))


NAMES = st.binary(max_size=12).map(lambda name: name.decode("utf-8", "surrogateescape"))
HEADERS = st.lists(st.tuples(NAMES, st.none() | st.binary(max_size=8)), max_size=4).map(tuple)


@given(st.lists(HEADERS, min_size=1, max_size=4))
def test_any_bytes_come_back(headers: list[Headers]) -> None:
    """Whatever they are: written, read, the same."""
    assert [record.headers for record in records(batch(*headers))] == headers


@pytest.fixture
async def topic(kafka_bootstrap: str) -> AsyncIterator[str]:
    """Return a topic of one partition."""
    name = f"names.{uuid.uuid4().hex}"
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, 1, 1)])
        yield name
        await admin.delete_topics([name])
    finally:
        await admin.close()


async def test_a_broker_takes_and_gives_them_back(kafka_bootstrap: str, topic: str) -> None:
    """Written in one transaction among others, in order, and read by an ordinary consumer."""
    options = KafkaConnection(kafka_bootstrap).client_options()
    sent: list[Sent] = []
    headers = [GOOD, BAD, GOOD, BAD, GOOD]
    outputs = [Output(topic, b"%d" % n, b"v", given) for n, given in enumerate(headers)]
    producer = AIOKafkaProducer(**options, transactional_id=topic)
    async with producer, producer.transaction():
        await send_all(producer, outputs, sent)
        for batch_sent in sent:
            await batch_sent.future
    consumer = AIOKafkaConsumer(topic, **options, auto_offset_reset="earliest")
    async with consumer:
        read = [await consumer.getone() for _ in headers]
    assert [record.key for record in read] == [b"0", b"1", b"2", b"3", b"4"]
    assert [record.headers for record in read] == headers
