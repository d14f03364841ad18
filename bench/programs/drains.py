"""Drains a topic through the engine, or through a plain loop, with one output per record.

Both sides have the same consumer, the same producer settings, the same outputs and no FastStream.
"""

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.structs import OffsetAndMetadata

from bench.programs.answers import say
from jiraiya_events.adapters.kafka.connection import KafkaConnection
from jiraiya_events.adapters.kafka.edge import FETCH_WAIT_MS
from jiraiya_events.adapters.kafka.intake import KafkaIntake
from jiraiya_events.adapters.kafka.transactional import MAX_REQUEST_BYTES, RETRY_BACKOFF_MS
from jiraiya_events.adapters.kafka.writer import KafkaWriters
from jiraiya_events.adapters.telemetry.logs import configure_logs
from jiraiya_events.engine.engine import Engine
from jiraiya_events.engine.observer import Observer
from jiraiya_events.engine.records import Output, Partition, Record
from jiraiya_events.engine.verdicts import Done, Work

READ_AT_ONCE = 500
POLL_MS = 100


@dataclass(frozen=True, slots=True)
class Task:
    """What to drain: `count` records of `source`, into `target`."""

    side: str
    bootstrap: str
    group: str
    source: str
    target: str
    partitions: int
    count: int
    batch: int = 0


@dataclass(slots=True)
class Course:
    """When how much was committed, and the CPU it took; in seconds since the first record came."""

    count: int
    began: float | None = None
    cpu_before: float = 0.0
    done: int = 0
    commits: list[tuple[float, int, float]] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def begin(self) -> None:
        """Note the first record."""
        if self.began is None:
            self.began, self.cpu_before = time.perf_counter(), time.process_time()

    def committed(self, count: int) -> None:
        """Note a transaction."""
        self.done += count
        seconds = time.perf_counter() - (self.began or 0.0)
        self.commits.append((seconds, self.done, time.process_time() - self.cpu_before))
        if self.done >= self.count:
            self.over.set()


class Echo:
    """The no-op handler: every record becomes one output of the same size."""

    def __init__(self, target: str) -> None:
        self._target = target

    async def handle(self, work: Work) -> Done:
        """Copy."""
        record = work.record
        return Done([Output(self._target, record.key, record.value, record.headers)])

    def crashed(self, work: Work, error: Exception) -> Done:
        """Give up: a benchmark that failed has measured nothing."""
        raise RuntimeError(work.record.offset) from error


class Watch(Observer):
    """Counts what the engine commits."""

    def __init__(self, course: Course) -> None:
        self._course = course

    def committed(self, finished: Sequence[tuple[Record, object]], seconds: float) -> None:  # noqa: ARG002 - the port's
        """Note a transaction, but not one that moved only the position."""
        if finished:
            self._course.committed(len(finished))


class Assignments(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is untyped
    """Tells the engine what it owns."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def on_partitions_revoked(self, revoked: list[TopicPartition]) -> None:
        """Suspend."""
        self._engine.revoke(Partition(*p) for p in revoked)

    def on_partitions_assigned(self, assigned: list[TopicPartition]) -> None:
        """Adopt."""
        self._engine.assign(Partition(*p) for p in assigned)


def _consumer(task: Task) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        bootstrap_servers=task.bootstrap,
        group_id=task.group,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        fetch_max_wait_ms=FETCH_WAIT_MS,
        enable_auto_commit=False,
    )


async def through_engine(task: Task, course: Course) -> None:
    """Drain through `Engine`, its ports filled by the Kafka adapters and this small intake."""
    consumer = _consumer(task)
    connection = KafkaConnection(task.bootstrap)
    engine = Engine(
        KafkaIntake(lambda: consumer),
        KafkaWriters(connection, task.group),
        Echo(task.target),
        observer=Watch(course),
    )
    await consumer.start()
    consumer.subscribe([task.source], listener=Assignments(engine))
    while not course.over.is_set():
        for messages in (
            await consumer.getmany(timeout_ms=POLL_MS, max_records=READ_AT_ONCE)
        ).values():
            course.begin()
            for m in messages:
                engine.accept(
                    Record(m.topic, m.partition, m.offset, m.timestamp, m.key, m.value, m.headers)
                )
    await engine.stop(5)
    await consumer.stop()


async def through_plain_loops(task: Task, course: Course) -> None:
    """Drain with one consumer and, per partition, one transactional producer in a plain loop."""
    consumer = _consumer(task)
    await consumer.start()
    where = [TopicPartition(task.source, number) for number in range(task.partitions)]
    consumer.assign(where)
    producers = [_producer(task, partition) for partition in where]
    await asyncio.gather(*(producer.start() for producer in producers))
    loops = [
        asyncio.create_task(_loop(task, course, consumer, partition, producer))
        for partition, producer in zip(where, producers, strict=True)
    ]
    await course.over.wait()
    await asyncio.gather(*loops)
    await asyncio.gather(*(producer.stop() for producer in producers))
    await consumer.stop()


def _producer(task: Task, partition: TopicPartition) -> AIOKafkaProducer:
    return AIOKafkaProducer(
        bootstrap_servers=task.bootstrap,
        transactional_id=f"{task.group}.{partition.partition}",
        retry_backoff_ms=RETRY_BACKOFF_MS,
        max_request_size=MAX_REQUEST_BYTES,
        max_batch_size=MAX_REQUEST_BYTES,
    )


async def _loop(
    task: Task,
    course: Course,
    consumer: AIOKafkaConsumer,
    partition: TopicPartition,
    producer: AIOKafkaProducer,
) -> None:
    while not course.over.is_set():
        batch = await _read(consumer, partition, task.batch, course)
        if not batch:
            continue
        await producer.begin_transaction()
        sends = [
            await producer.send(task.target, m.value, key=m.key, headers=list(m.headers))
            for m in batch
        ]
        offsets = {partition: OffsetAndMetadata(batch[-1].offset + 1, "")}
        await producer.send_offsets_to_transaction(offsets, task.group)
        await asyncio.gather(*sends)
        await producer.commit_transaction()
        course.committed(len(batch))


async def _read(
    consumer: AIOKafkaConsumer, partition: TopicPartition, size: int, course: Course
) -> list[Any]:
    """Return a full batch, or what there was when the topic had no more for a moment."""
    batch: list[Any] = []
    while len(batch) < size:
        room = size - len(batch)
        got = await consumer.getmany(partition, timeout_ms=POLL_MS, max_records=room)
        if not got:
            break
        course.begin()
        batch += got[partition]
    return batch


async def main() -> None:
    """Drain what the argument says and tell how it went."""
    # Standard output is for the answer.
    configure_logs(level="WARNING", style="json")
    task = Task(**json.loads(sys.argv[1]))
    course = Course(task.count)
    drain = through_engine if task.side == "engine" else through_plain_loops
    draining = asyncio.create_task(drain(task, course))
    over = asyncio.create_task(course.over.wait())
    await asyncio.wait({draining, over}, return_when=asyncio.FIRST_COMPLETED)
    say({"commits": course.commits})
    await draining


if __name__ == "__main__":
    uvloop.run(main())
