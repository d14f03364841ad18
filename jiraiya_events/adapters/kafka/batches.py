"""Sending many outputs at once: we fill the producer's batches ourselves.

`AIOKafkaProducer.send` costs a future and an await a record, and hashes every key anew in plain
Python; a transaction sends hundreds of records, mostly of keys seen before. Order holds per
partition: its outputs go into its batches one after the other.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import murmur2
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import DefaultRecordBatch

from jiraiya_events.adapters.kafka.undecodable import BATCH_BYTES, AnyNameBatch
from jiraiya_events.engine.records import Output

REMEMBERED_KEYS = 16_384

COMPRESSED_BYTES = 512 * 1024
"""From this size on an output travels compressed.

A topic's limit is a batch's *after* compression: what came in compressed may be larger, and every
output repeats its key.
"""


@dataclass(slots=True)
class Batch:
    """Records of one partition; `indices` are their places among the outputs."""

    topic: str
    partition: int
    builder: Any
    indices: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Sent:
    """A batch on its way."""

    indices: list[int]
    future: asyncio.Future[object]


async def send_all(producer: AIOKafkaProducer, outputs: Sequence[Output], sent: list[Sent]) -> None:
    """Hand `outputs` to the producer, in order per partition, and add what is on its way to `sent`.

    Inside a transaction. When it raises, `sent` holds what was handed over until then.
    """
    partitions = {
        topic: sorted(await producer.partitions_for(topic))
        for topic in dict.fromkeys(output.topic for output in outputs)
    }
    filling: dict[tuple[str, int], Batch] = {}
    for index, output in enumerate(outputs):
        partition = output.partition
        if partition is None:
            partition = partition_of(output.key, partitions[output.topic])
        place = (output.topic, partition)
        batch = filling.get(place)
        if batch is None or not _append(batch, index, output):
            if batch is not None:
                await _send(producer, batch, sent)
            filling[place] = _begin(producer, place, index, output)
    for batch in filling.values():
        await _send(producer, batch, sent)


def partition_of(key: bytes | None, partitions: Sequence[int]) -> int:
    """Return where Kafka's own clients put this key: murmur2, or anywhere for null keys."""
    if key is None:
        return random.choice(partitions)  # noqa: S311 - spreading, not guarding
    return partitions[_hash(key) % len(partitions)]


@lru_cache(maxsize=REMEMBERED_KEYS)
def _hash(key: bytes) -> int:
    positive: int = murmur2(key) & 0x7FFF_FFFF
    return positive


def _begin(producer: AIOKafkaProducer, place: tuple[str, int], index: int, output: Output) -> Batch:
    """Return a batch with its first record, which it always takes."""
    transactional = producer._txn_manager is not None  # noqa: SLF001 - nothing public tells
    codec = DefaultRecordBatch.CODEC_NONE
    builder = producer.create_batch()
    if _weight(output) >= COMPRESSED_BYTES:
        codec = DefaultRecordBatch.CODEC_GZIP
        builder = BatchBuilder(BATCH_BYTES, codec, is_transactional=transactional)
    batch = Batch(*place, builder)
    if not _append(batch, index, output):
        batch.builder = AnyNameBatch(transactional=transactional, codec=codec)
        _append(batch, index, output)
    return batch


def _weight(output: Output) -> int:
    parts = (output.key, output.value, *(value for _, value in output.headers))
    return sum(len(part) for part in parts if part is not None)


def _append(batch: Batch, index: int, output: Output) -> bool:
    """Add a record; tell whether there was room, and all of its names were text."""
    try:
        taken = batch.builder.append(
            timestamp=None, key=output.key, value=output.value, headers=list(output.headers)
        )
    except UnicodeEncodeError:
        return False
    if taken is None:
        return False
    batch.indices.append(index)
    return True


async def _send(producer: AIOKafkaProducer, batch: Batch, sent: list[Sent]) -> None:
    future = await producer.send_batch(batch.builder, batch.topic, partition=batch.partition)
    sent.append(Sent(batch.indices, future))
