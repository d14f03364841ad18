"""A real Kafka for the run: topics of our own, and requests to work on."""

import asyncio
import json
import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from jiraiya_events.adapters.embedded import EmbeddedKafka, EmbeddedKafkaOptions

EXTERNAL = "JIRAIYA_TEST_KAFKA"
KEYS = 1_000
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
    """The topics of one measurement, under names nobody else has."""

    bootstrap: str
    name: str
    partitions: int

    @classmethod
    async def create(cls, bootstrap: str, partitions: int = 1) -> "Topics":
        """Create them with one replica each."""
        topics = cls(bootstrap, f"bench-{uuid.uuid4().hex[:8]}", partitions)
        names = (topics.requested, topics.generated, topics.failed, topics.dlq, topics.cancelled)
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

    @property
    def cancelled(self) -> str:
        """The requests that are withdrawn: none."""
        return f"{self.name}.cancelled"

    def settings(self) -> dict[str, str]:
        """Return the service's settings for them."""
        return {
            "JIRAIYA_KAFKA__BOOTSTRAP_SERVERS": self.bootstrap,
            "JIRAIYA_KAFKA__GROUP_ID": self.name,
            "JIRAIYA_TOPICS__REQUESTED": self.requested,
            "JIRAIYA_TOPICS__GENERATED": self.generated,
            "JIRAIYA_TOPICS__FAILED": self.failed,
            "JIRAIYA_TOPICS__DLQ": self.dlq,
            "JIRAIYA_TOPICS__CANCELLED": self.cancelled,
            "JIRAIYA_TOPICS__AUTO_CREATE": "false",
        }

    async def request(self, count: int, first: int = 0) -> None:
        """Publish `count` story requests over 1,000 users, numbered from `first`."""
        await asyncio.to_thread(self._request, count, first)

    def produce(self, producer: Producer, number: int) -> None:
        """Hand the `number`-th request to a producer of the caller's, who flushes it."""
        user = f"user-{number % KEYS}"
        partition = number % KEYS % self.partitions
        value = json.dumps(story_request(number, user)).encode()
        producer.produce(self.requested, value=value, key=user, partition=partition)

    def _request(self, count: int, first: int) -> None:
        producer = Producer({"bootstrap.servers": self.bootstrap, "linger.ms": 5})
        for number in range(first, first + count):
            while len(producer) > QUEUED:
                producer.poll(0.05)
            self.produce(producer, number)
        flush(producer)


def flush(producer: Producer) -> None:
    """Wait until the broker has everything; raises RuntimeError when it has not after 60 s."""
    if left := producer.flush(60):
        msg = f"{left} requests could not be published"
        raise RuntimeError(msg)


def story_request(number: int, user: str) -> dict[str, object]:
    """Return the payload of the `number`-th request; the endpoint knows it by its keyword."""
    keywords = ["a lighthouse", "a fox", f"k-{number}"]
    return {"request_id": f"r-{number}", "user_id": user, "keywords": keywords, "genre": "fable"}
