"""Reading topics as they grow, committed records only, without joining a group."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from jiraiya_events.client.received import Received, received
from jiraiya_events.domain.errors import BrokerUnavailable

_POLL_MS = 500
_ASSIGN_TIMEOUT_S = 15.0
_LOOK_EVERY_S = 0.02


@asynccontextmanager
async def reader_at_end(
    options: Mapping[str, Any], topics: Sequence[str], *, from_start: bool = False
) -> AsyncIterator[AIOKafkaConsumer]:
    """Open a consumer that stands at the end (or start) of every partition of `topics`.

    Raises `BrokerUnavailable`: nobody answers, or a topic is missing.
    """
    consumer = AIOKafkaConsumer(
        **options,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        request_timeout_ms=10_000,
    )
    try:
        await consumer.start()
        await _assign_all(consumer, topics)
        partitions = consumer.assignment()
        ask = consumer.beginning_offsets if from_start else consumer.end_offsets
        for partition, offset in (await ask(partitions)).items():
            consumer.seek(partition, offset)
        yield consumer
    except (KafkaError, OSError, TimeoutError) as error:
        raise BrokerUnavailable(_explain(error, options)) from error
    finally:
        await consumer.stop()


async def follow(
    options: Mapping[str, Any], topics: Sequence[str], *, from_start: bool = False
) -> AsyncGenerator[Received, None]:
    """Yield the records of `topics` as they come, without end. Raises `BrokerUnavailable`."""
    async with reader_at_end(options, topics, from_start=from_start) as consumer:
        while True:
            for record in await poll(consumer):
                yield record


async def poll(consumer: AIOKafkaConsumer) -> list[Received]:
    """Return what has come within half a second, the oldest first."""
    batches = await consumer.getmany(timeout_ms=_POLL_MS)
    records = [received(record) for records in batches.values() for record in records]
    return sorted(records, key=lambda record: record.timestamp_ms)


def no_topic(*names: str) -> BrokerUnavailable:
    """Return what to raise when there are no topics of these names."""
    return BrokerUnavailable(
        f"there is no topic {', '.join(names)}: `jiraiya serve` creates it in dev, "
        "else `jiraiya topics apply` does"
    )


async def _assign_all(consumer: AIOKafkaConsumer, topics: Sequence[str]) -> None:
    """Assign every partition of `topics`, once and for all."""
    missing = sorted(set(topics) - await consumer.topics())
    if missing:
        raise no_topic(*missing)
    consumer.subscribe(topics)
    async with asyncio.timeout(_ASSIGN_TIMEOUT_S):
        while not consumer.assignment():  # noqa: ASYNC110 - the consumer tells nobody
            await asyncio.sleep(_LOOK_EVERY_S)
    # A subscription starts over whenever a topic grows; an assignment stays where it is.
    partitions = consumer.assignment()
    consumer.unsubscribe()
    consumer.assign(list(partitions))


def _explain(error: Exception, options: Mapping[str, Any]) -> str:
    servers = options.get("bootstrap_servers", "localhost")
    if "Unable to bootstrap" in str(error):
        return f"Kafka at {servers} does not answer; `jiraiya doctor` tells what is wrong"
    return f"Kafka at {servers}: {error}; `jiraiya doctor` tells what is wrong"
