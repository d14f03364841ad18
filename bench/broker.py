"""A real Kafka for the run: topics of our own, records to work on, and a judge that counts."""

import asyncio
import json
import os
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from jiraiya_events.adapters.embedded import EmbeddedKafka, EmbeddedKafkaOptions

EXTERNAL = "JIRAIYA_TEST_KAFKA"
KEYS = 1_000
PATIENCE_S = 240.0
QUEUED = 50_000
"""The client refuses more than 100,000 unsent records."""


@asynccontextmanager
async def broker() -> AsyncIterator[str]:
    """Give the address of the broker the environment names, else of an embedded one."""
    external = os.environ.get(EXTERNAL)
    if external:
        yield external
        return
    options = EmbeddedKafkaOptions(train_startup_cache=False)
    async with EmbeddedKafka(options) as kafka:
        yield kafka.bootstrap_servers


@dataclass(frozen=True, slots=True)
class Topics:
    """The four topics of one measurement, under names nobody else has."""

    bootstrap: str
    name: str
    partitions: int

    @classmethod
    async def create(cls, bootstrap: str, partitions: int = 1) -> "Topics":
        """Create them with one replica each."""
        topics = cls(bootstrap, f"bench-{uuid.uuid4().hex[:8]}", partitions)
        names = (topics.requested, topics.generated, topics.failed, topics.dlq)
        new = [NewTopic(name, partitions, 1) for name in names]
        admin = AdminClient({"bootstrap.servers": bootstrap})
        for future in admin.create_topics(new).values():
            await asyncio.to_thread(future.result)
        return topics

    @property
    def requested(self) -> str:
        """The input."""
        return f"{self.name}.requested"

    @property
    def generated(self) -> str:
        """The output of what went well."""
        return f"{self.name}.generated"

    @property
    def failed(self) -> str:
        """The output of what did not."""
        return f"{self.name}.failed"

    @property
    def dlq(self) -> str:
        """The dead letters."""
        return f"{self.name}.dlq"

    def settings(self) -> dict[str, str]:
        """Return the service's settings for them."""
        return {
            "JIRAIYA_KAFKA__BOOTSTRAP_SERVERS": self.bootstrap,
            "JIRAIYA_KAFKA__GROUP_ID": self.name,
            "JIRAIYA_TOPICS__REQUESTED": self.requested,
            "JIRAIYA_TOPICS__GENERATED": self.generated,
            "JIRAIYA_TOPICS__FAILED": self.failed,
            "JIRAIYA_TOPICS__DLQ": self.dlq,
            "JIRAIYA_TOPICS__AUTO_CREATE": "false",
        }

    async def request(self, count: int, first: int = 0) -> None:
        """Publish `count` story requests over 1,000 users, numbered from `first`."""
        await asyncio.to_thread(self._request, count, first)

    def _request(self, count: int, first: int) -> None:
        producer = Producer({"bootstrap.servers": self.bootstrap, "linger.ms": 5})
        for number in range(first, first + count):
            user = f"user-{number % KEYS}"
            partition = number % KEYS % self.partitions
            value = json.dumps(story_request(number, user)).encode()
            while len(producer) > QUEUED:
                producer.poll(0.05)
            producer.produce(self.requested, value=value, key=user, partition=partition)
        if left := producer.flush(60):
            msg = f"{left} requests could not be published"
            raise RuntimeError(msg)


def story_request(number: int, user: str) -> dict[str, object]:
    """Return the payload of the `number`-th request; the endpoint knows it by its keyword."""
    keywords = ["a lighthouse", "a fox", f"k-{number}"]
    return {"request_id": f"r-{number}", "user_id": user, "keywords": keywords, "genre": "fable"}


class Judge:
    """Sees what a `read_committed` consumer sees, and when."""

    def __init__(self, topics: Topics) -> None:
        self._failed = topics.failed
        self._consumer = Consumer(
            {
                "bootstrap.servers": topics.bootstrap,
                "group.id": f"{topics.name}-judge",
                "auto.offset.reset": "earliest",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 20,
            }
        )
        self._consumer.subscribe([topics.generated, topics.failed])
        self._early: list[float] = []

    async def wait_for(self, count: int) -> list[float]:
        """Return the monotonic times at which the next `count` outcomes became visible."""
        return await asyncio.to_thread(self._wait_for, count)

    def close(self) -> None:
        """Leave."""
        self._consumer.close()

    def _wait_for(self, count: int) -> list[float]:
        seen = self._early
        until = time.monotonic() + PATIENCE_S
        while len(seen) < count:
            messages = self._consumer.consume(500, 0.1)
            now = time.monotonic()
            for message in messages:
                if message.error() is not None:
                    continue
                if message.topic() == self._failed:
                    msg = f"a story failed: {message.value()!r}"
                    raise RuntimeError(msg)
                seen.append(now)
            if now > until:
                msg = f"{len(seen)} of {count} outcomes after {PATIENCE_S:.0f} s"
                raise TimeoutError(msg)
        self._early = seen[count:]
        return seen[:count]


@contextmanager
def judge(topics: Topics) -> Iterator[Judge]:
    """Give a judge over the outputs of `topics`."""
    watching = Judge(topics)
    try:
        yield watching
    finally:
        watching.close()
