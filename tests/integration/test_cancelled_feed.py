"""The reader of cancellations against a broker that refuses it, or goes away."""

import asyncio
import time
from collections.abc import Callable

import pytest
from aiokafka import AIOKafkaProducer
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from jiraiya_events.adapters.embedded import EmbeddedKafka
from jiraiya_events.adapters.kafka import cancelled_feed
from jiraiya_events.adapters.kafka.cancelled_feed import CancelledFeed
from jiraiya_events.adapters.kafka.connection import KafkaConnection
from jiraiya_events.adapters.kafka.topics import TopicSpec, apply_topics
from jiraiya_events.domain.clock import SystemClock
from jiraiya_events.engine.records import Record
from tests.integration.test_cli_doctor import USER, guarded

__all__ = ["guarded"]

TOPIC = "withdrawn"
BACK_S = 600.0
FOR_EVER_S = 600.0
"""A start that only this would end is a test that hangs."""


class Taken:
    """A feed, and the values it has read."""

    def __init__(self, connection: KafkaConnection, back_s: float = BACK_S) -> None:
        self.values: list[bytes | None] = []
        self.feed = CancelledFeed(connection, TOPIC, self._take, SystemClock(), back_s=back_s)

    def _take(self, record: Record) -> None:
        self.values.append(record.value)
        if record.value == b"poison":
            raise ZeroDivisionError
        if record.value == b"worse poison":
            raise BaseExceptionGroup("no Exception", [GeneratorExit()])


async def until(look: Callable[[], object], what: str) -> None:
    """Wait until `look` is true."""
    try:
        async with asyncio.timeout(40):
            while not look():  # noqa: ASYNC110 - what is looked at tells nobody
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(what) from None


async def publish(connection: KafkaConnection, *values: bytes, age_s: float = 0) -> None:
    """Publish in order, in one partition, as if `age_s` seconds ago."""
    stamp = round((time.time() - age_s) * 1000)
    async with AIOKafkaProducer(**connection.client_options()) as producer:
        for value in values:
            await producer.send_and_wait(TOPIC, value, partition=0, timestamp_ms=stamp)


async def make_topic(connection: KafkaConnection) -> None:
    """Create the topic."""
    await apply_topics(connection, [TopicSpec(TOPIC, 2, 1)])


def grant(connection: KafkaConnection, operation: AclOperation) -> None:
    """Allow the user one operation on the topic."""
    binding = AclBinding(
        ResourceType.TOPIC, TOPIC, ResourcePatternType.LITERAL,
        f"User:{USER}", "*", operation, AclPermissionType.ALLOW,
    )  # fmt: skip
    admin = AdminClient({"bootstrap.servers": connection.bootstrap_servers, "log_level": 0})
    for future in admin.create_acls([binding]).values():
        future.result(20)


async def test_without_rights_it_says_which_and_reads_once_they_are_there(
    guarded: tuple[KafkaConnection, KafkaConnection], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start does not wait for them, and nothing is missed for having waited."""
    monkeypatch.setattr(cancelled_feed, "CATCH_UP_S", FOR_EVER_S)
    almighty, user = guarded
    await make_topic(almighty)
    await publish(almighty, b"first")
    taken = Taken(user)
    await taken.feed.start()
    try:
        assert taken.feed.trouble is not None
        assert f"may not see the topic {TOPIC}: grant Read" in taken.feed.trouble
        grant(almighty, AclOperation.DESCRIBE)
        reading = f"may not read the topic {TOPIC}: grant Read"
        await until(lambda: reading in (taken.feed.trouble or ""), "it may be seen, not read")
        grant(almighty, AclOperation.READ)
        await until(lambda: taken.values == [b"first"], "it is read")
        assert taken.feed.trouble is None
    finally:
        await taken.feed.stop()


async def test_it_begins_where_the_longest_deadline_ago_lies(
    own_kafka: EmbeddedKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And has read what is there when the start returns."""
    monkeypatch.setattr(cancelled_feed, "CATCH_UP_S", FOR_EVER_S)
    connection = KafkaConnection(own_kafka.bootstrap_servers)
    await make_topic(connection)
    await publish(connection, b"old", age_s=BACK_S + 60)
    await publish(connection, b"recent", age_s=BACK_S - 60)
    await publish(connection, b"new")
    taken = Taken(connection)
    await taken.feed.start()
    assert taken.values == [b"recent", b"new"]
    await taken.feed.stop()
    # All of it is too old: reading begins at the end.
    late = Taken(connection, back_s=0)
    await late.feed.start()
    await publish(connection, b"next")
    await until(lambda: late.values, "the next is read")
    assert late.values == [b"next"]
    await late.feed.stop()


async def test_a_bug_of_ours_costs_one_cancel(own_kafka: EmbeddedKafka) -> None:
    """The next is read, and nothing is read over and over."""
    connection = KafkaConnection(own_kafka.bootstrap_servers)
    await make_topic(connection)
    taken = Taken(connection)
    await taken.feed.start()
    await publish(connection, b"poison", b"worse poison", b"next")
    await until(lambda: b"next" in taken.values, "it goes on")
    assert taken.values == [b"poison", b"worse poison", b"next"]
    assert taken.feed.trouble is None
    await taken.feed.stop()
    await taken.feed.stop()


async def test_a_broker_that_comes_back_is_read_on(own_kafka: EmbeddedKafka) -> None:
    """Whatever was published after it came back arrives; stopping does not wait for it."""
    connection = KafkaConnection(own_kafka.bootstrap_servers)
    await make_topic(connection)
    taken = Taken(connection)
    await taken.feed.start()
    await publish(connection, b"before")
    await until(lambda: taken.values == [b"before"], "the first is read")
    await own_kafka.kill()
    await own_kafka.restart()
    await publish(connection, b"after")
    await until(lambda: taken.values[-1] == b"after", "the next is read")
    await own_kafka.kill()
    async with asyncio.timeout(30):
        await taken.feed.stop()
