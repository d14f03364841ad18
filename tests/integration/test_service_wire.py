"""What only the wire can carry: header names that are no text, and every compression."""

import asyncio
import json

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from confluent_kafka import Producer

from jiraiya_events.adapters.kafka.connection import KafkaConnection
from jiraiya_events.adapters.kafka.undecodable import AnyNameBatch
from jiraiya_events.engine.records import Headers
from tests.blackbox.requests import payload, plain
from tests.blackbox.world import World

NO_TEXT = b"x-\xff".decode("utf-8", "surrogateescape")
HEADERS: Headers = (("x-before", b"1"), (NO_TEXT, b"\xff\x00"), ("x-after", None))


async def publish_raw(world: World, values: list[bytes]) -> None:
    """Put records with such headers, one beside the other, into partition 0."""
    options = KafkaConnection(world.bootstrap).client_options()
    async with AIOKafkaProducer(**options) as producer:
        batch = AnyNameBatch(transactional=False)
        for value in values:
            batch.append(timestamp=None, key=b"raw", value=value, headers=HEADERS)
        await (await producer.send_batch(batch, world.requested, partition=0))


async def dead_letters(world: World, count: int) -> list[tuple[bytes | None, Headers]]:
    """Read the dead letters with a client that gives back any name."""
    options = KafkaConnection(world.bootstrap).client_options()
    consumer = AIOKafkaConsumer(
        world.dlq, **options, auto_offset_reset="earliest", isolation_level="read_committed"
    )
    async with consumer:
        records = [await consumer.getone() for _ in range(count)]
    return [(record.value, record.headers) for record in records]


def test_a_header_name_that_is_no_text_stops_nobody(world: World) -> None:
    """Its record has its story, or its dead letter with that very name; so have those around it."""
    world.publish([plain(f"before-{number}", partition=0) for number in range(3)])
    good = json.dumps(payload("raw")).encode()
    asyncio.run(publish_raw(world, [good, b"{", good]))
    world.publish([plain(f"after-{number}", partition=0) for number in range(3)])
    service = world.serve()
    events = world.outcomes(9, 40)
    assert len([event for event in events if event.topic == world.generated]) == 8
    (letter,) = asyncio.run(dead_letters(world, 1))
    assert letter[0] == b"{"
    assert tuple(letter[1][:3]) == HEADERS
    assert service.status("/health/ready") == 200
    assert "trying again" not in service.log


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_a_producer_may_compress_as_it_likes(world: World, codec: str) -> None:
    """A batch that cannot be unpacked would stop its partition."""
    producer = Producer(
        {"bootstrap.servers": world.bootstrap, "compression.type": codec, "linger.ms": 50}
    )
    for number in range(20):
        value = json.dumps(payload(f"{codec}-{number}", instructions="again " * 40))
        producer.produce(world.requested, key=b"k", value=value.encode())
    assert producer.flush(20) == 0
    world.serve()
    world.outcomes(20, 40)
    found = world.judgement()
    assert not found.problems
    assert len(found.generated) == 20
