"""Reading a stretch of one partition: committed records only, joined to no group."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError

from jiraiya_events.adapters.kafka.connection import KafkaConnection
from jiraiya_events.domain.errors import BrokerUnavailable

PAGE: Final = 1000
"""Most records held at once."""

SILENCE_S: Final = 40.0
"""How long a broker may show nothing new.

A transaction that a killed process left open holds everything behind it: ten seconds until it
times out, ten more until the broker looks, and some for the broker to write that down.
"""

_POLL_MS: Final = 500


def consumer_of(connection: KafkaConnection, *, committed: bool = True) -> AIOKafkaConsumer:
    """Return an unstarted consumer that is assigned by hand and commits nothing.

    What it takes for the end of a partition is the last stable offset, or, unless `committed`,
    the high watermark.
    """
    return AIOKafkaConsumer(
        **connection.client_options(),
        isolation_level="read_committed" if committed else "read_uncommitted",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        request_timeout_ms=10_000,
    )


async def read_pages(
    consumer: AIOKafkaConsumer, place: TopicPartition, start: int, end: int
) -> AsyncGenerator[Sequence[Any], None]:
    """Yield the committed records from `start` to before `end`; raises TimeoutError.

    What retention deletes meanwhile is skipped. Ends when the position has reached `end`, which
    transaction markers or aborted records may be standing before.
    """
    if start >= end:
        return
    consumer.assign([place])
    consumer.seek(place, start)
    loop = asyncio.get_running_loop()
    moved_at, position = loop.time(), start
    while position < end:
        found = await consumer.getmany(place, timeout_ms=_POLL_MS, max_records=PAGE)
        records = [record for record in found.get(place, ()) if record.offset < end]
        if records:
            yield records
        reached = await consumer.position(place)
        if reached != position:
            moved_at, position = loop.time(), reached
        elif loop.time() - moved_at > SILENCE_S:
            msg = (
                f"{place.topic}/{place.partition} could not be read from {position} to {end} for "
                f"{SILENCE_S:.0f} s: is a transaction open there?"
            )
            raise TimeoutError(msg)


@contextmanager
def in_words(connection: KafkaConnection) -> Iterator[None]:
    """Turn whatever Kafka's client raises into one line that says what to do."""
    try:
        yield
    except (KafkaError, OSError, TimeoutError) as error:
        raise BrokerUnavailable(explained(connection, error)) from error


def explained(connection: KafkaConnection, error: Exception) -> str:
    """Return one line about a failure of Kafka's client."""
    if isinstance(error, TopicAuthorizationFailedError):
        topics = ", ".join(str(topic) for topic in error.args)
        return f"Kafka does not let us read: grant our user READ on the topic {topics}"
    reason = str(error) or type(error).__name__
    if "Unable to bootstrap" in reason:
        reason = "it does not answer"
    return f"Kafka at {connection.bootstrap_servers}: {reason}; `jiraiya doctor` tells more"
