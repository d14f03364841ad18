"""The writer of `story.progress` against a real broker, a missing topic, no rights, no broker."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from uuid import uuid4

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)
from structlog.testing import capture_logs

from jiraiya_events.adapters.embedded import EmbeddedKafka, EmbeddedKafkaOptions
from jiraiya_events.adapters.kafka import progress_writer
from jiraiya_events.adapters.kafka.connection import KafkaConnection
from jiraiya_events.adapters.kafka.progress_writer import MOST_WAITING, ProgressWriter
from jiraiya_events.adapters.kafka.topics import TopicSpec, apply_topics, plan_topics
from jiraiya_events.engine.records import Output
from tests.blackbox.messages import Seen
from tests.blackbox.reader import TopicReader
from tests.blackbox.service import refused_port
from tests.integration.test_cancelled_feed import until
from tests.integration.test_cli_doctor import USER, guarded

__all__ = ["guarded"]

PARTITIONS = 3
NOT_PUBLISHED = "the progress of stories is not published; the stories are"
AGAIN = "the progress of stories is published again"


class Written:
    """A writer to a topic of its own, and what it counted."""

    def __init__(self, connection: KafkaConnection) -> None:
        self.topic = f"progress-{uuid4().hex[:12]}"
        self.counts: Counter[str] = Counter()
        self.published = 0
        self.writer = ProgressWriter(connection, self.topic, self._count)
        self._connection = connection

    def _count(self, result: str, number: int) -> None:
        self.counts[result] += number

    def publish(self, number: int, key: bytes | None = b"user", request: str = "r1") -> None:
        self.published += 1
        headers = (("ce_causationid", request.encode()),)
        self.writer.publish(Output(self.topic, key, str(number).encode(), headers))

    async def create_topic(self) -> None:
        await apply_topics(self._connection, [TopicSpec(self.topic, PARTITIONS, 1)])

    async def settled(self) -> None:
        """Wait until the fate of every event is known."""
        await until(lambda: self.counts.total() == self.published, "all are accounted for")

    async def publish_until_sent(self) -> None:
        """Publish one event after the other until one arrives."""
        sent = self.counts["sent"]
        async with asyncio.timeout(40):
            while self.counts["sent"] == sent:
                self.publish(self.published)
                await self.settled()

    async def arrived(self) -> Sequence[Seen]:
        return await asyncio.to_thread(self._read)

    def _read(self) -> Sequence[Seen]:
        with TopicReader(self._connection.bootstrap_servers, [self.topic]) as reader:
            return sorted(reader.to_the_end(20), key=lambda seen: seen.position)


@asynccontextmanager
async def writing(connection: KafkaConnection, *, topic: bool = True) -> AsyncIterator[Written]:
    """Give a writer whose topic is there, or is not, and stop it within its bounds."""
    written = Written(connection)
    if topic:
        await written.create_topic()
    try:
        yield written
    finally:
        async with asyncio.timeout(30):
            await written.writer.stop()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lose no event to a broker that stands still for a while."""
    monkeypatch.setattr(progress_writer, "REQUEST_TIMEOUT_MS", 60_000)
    monkeypatch.setattr(progress_writer, "STOP_S", 25.0)


@pytest.mark.usefixtures("patient")
async def test_events_arrive_in_order_with_key_and_headers(kafka_bootstrap: str) -> None:
    """One partition a key; without a key, one a request. Stopping sends what is left."""
    async with writing(KafkaConnection(kafka_bootstrap)) as written:
        for number in range(100):
            written.publish(number, b"\xff\x00")
            written.publish(number, None, request=f"r{number % 10}")
    assert written.counts == {"sent": 200, "dropped": 0}
    events = await written.arrived()
    keyed = [event for event in events if event.key == b"\xff\x00"]
    assert [event.body for event in keyed] == list(range(100))
    assert keyed[0].header("ce_causationid") == "r1"
    for request in range(10):
        own = [e for e in events if e.key is None and e.header("ce_causationid") == f"r{request}"]
        assert len({event.partition for event in own}) == 1
        assert [event.body for event in own] == list(range(request, 100, 10))


@pytest.mark.usefixtures("patient")
async def test_an_event_is_seen_without_a_transaction(kafka_bootstrap: str) -> None:
    """Within a moment, while the writer is still at work."""
    async with writing(KafkaConnection(kafka_bootstrap)) as written:
        written.publish(1)
        await written.settled()
        assert [event.body for event in await written.arrived()] == [1]


@pytest.mark.usefixtures("patient")
async def test_a_large_key_is_no_trouble(kafka_bootstrap: str) -> None:
    """It travels compressed, and without a transaction here as well."""
    key = b"k" * 3_000_000
    async with writing(KafkaConnection(kafka_bootstrap)) as written:
        written.publish(1, key)
        await written.settled()
        assert [(event.key, event.body) for event in await written.arrived()] == [(key, 1)]


async def test_a_missing_topic_is_said_once_and_not_created(tmp_path: Path) -> None:
    """Though the broker creates what clients ask for; once it is there, events arrive."""
    options = EmbeddedKafkaOptions(
        data_dir=tmp_path / "kafka",
        train_startup_cache=False,
        properties={"auto.create.topics.enable": "true"},
    )
    with capture_logs() as lines:
        async with EmbeddedKafka(options) as kafka:
            await publish_until_there(KafkaConnection(kafka.bootstrap_servers))
    said = [line for line in lines if line["event"] in {NOT_PUBLISHED, AGAIN}]
    assert [line["event"] for line in said] == [NOT_PUBLISHED, AGAIN]
    assert "jiraiya topics apply" in said[0]["reason"]


async def publish_until_there(connection: KafkaConnection) -> None:
    """Publish while there is no topic, then create it."""
    async with writing(connection, topic=False) as written:
        for number in (1, 2):
            written.publish(number)
            await written.settled()
            assert written.counts["dropped"] == number
        plan = await plan_topics(connection, [TopicSpec(written.topic, PARTITIONS, 1)])
        assert [change.change.value for change in plan] == ["missing"]
        await written.create_topic()
        await written.publish_until_sent()


async def test_a_missing_right_is_named(guarded: tuple[KafkaConnection, KafkaConnection]) -> None:
    """The topic may be seen, not written to."""
    almighty, user = guarded
    written = Written(almighty)
    await written.create_topic()
    binding = AclBinding(
        ResourceType.TOPIC, written.topic, ResourcePatternType.LITERAL,
        f"User:{USER}", "*", AclOperation.DESCRIBE, AclPermissionType.ALLOW,
    )  # fmt: skip
    admin = AdminClient({"bootstrap.servers": almighty.bootstrap_servers, "log_level": 0})
    for future in admin.create_acls([binding]).values():
        future.result(20)
    counts: Counter[str] = Counter()
    writer = ProgressWriter(user, written.topic, lambda result, n: counts.update({result: n}))
    with capture_logs() as lines:
        writer.publish(Output(written.topic, b"user", b"1"))
        await until(lambda: counts["dropped"] == 1, "it is dropped")
        await until(lambda: lines, "it is said")
        await writer.stop()
    assert f"may not write to the topic {written.topic}: grant Write" in lines[0]["reason"]


def publishing_a_thousand_s(written: Written) -> float:
    """Publish a thousand events; return how many seconds that took."""
    began = time.monotonic()
    for number in range(1_000):
        written.publish(number)
    return time.monotonic() - began


async def test_without_a_broker_nothing_blocks_and_little_is_kept() -> None:
    """Ten thousand events cost milliseconds; the oldest are dropped, which is said once."""
    with refused_port() as port, capture_logs() as lines:
        async with writing(KafkaConnection(f"127.0.0.1:{port}"), topic=False) as written:
            # One round may meet a machine that stands still; not most of them.
            assert median([publishing_a_thousand_s(written) for _ in range(10)]) < 0.1
            assert written.counts["dropped"] == 10_000 - MOST_WAITING
            await written.settled()
    assert written.counts["sent"] == 0
    assert len([line for line in lines if line["event"] == NOT_PUBLISHED]) <= 2


async def test_it_goes_on_when_the_broker_is_back(own_kafka: EmbeddedKafka) -> None:
    """What was published meanwhile is lost and counted; stopping without a broker is bounded."""
    async with writing(KafkaConnection(own_kafka.bootstrap_servers)) as written:
        await written.publish_until_sent()
        dropped = written.counts["dropped"]
        await own_kafka.kill()
        written.publish(1)
        await written.settled()
        assert written.counts["dropped"] == dropped + 1
        await own_kafka.restart()
        await written.publish_until_sent()
        await own_kafka.kill()
        written.publish(2)
    assert written.counts.total() == written.published


async def test_what_never_published_never_connects() -> None:
    """No task, no socket, and stopping it is harmless."""
    written = Written(KafkaConnection("127.0.0.1:1"))
    before = asyncio.all_tasks()
    await written.writer.stop()
    assert asyncio.all_tasks() == before
    written.publish(1)
    assert written.counts == {"dropped": 1}


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("topic", [True, False])
async def test_stopping_at_once_is_bounded(kafka_bootstrap: str, *, topic: bool) -> None:
    """Whether the event arrives or not, it is accounted for."""
    async with writing(KafkaConnection(kafka_bootstrap), topic=topic) as written:
        written.publish(1)
    assert written.counts["sent" if topic else "dropped"] == 1
