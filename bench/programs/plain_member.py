"""The yardstick of `takeover` and `rolling`: one member of a plain group of aiokafka consumers.

It has the service's time-outs and assignor, and a loop that reads, copies and commits, in a
transaction for each partition under a `transactional.id` of its own. There is no model call, no
store, no order across retries and no map of offsets.
"""

import asyncio
import signal
import sys
from collections.abc import Iterable
from dataclasses import dataclass

import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.structs import ConsumerRecord

from bench.programs.answers import say
from jiraiya_events.adapters.kafka.edge import (
    HEARTBEAT_MS,
    REBALANCE_TIMEOUT_MS,
    SESSION_TIMEOUT_MS,
)
from jiraiya_events.adapters.kafka.transactional import RETRY_BACKOFF_MS, TRANSACTION_TIMEOUT_MS

POLL_MS = 100
READ_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Task:
    """What a member reads and writes."""

    bootstrap: str
    group: str
    source: str
    target: str


class Member(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is untyped
    """Reads all its partitions, then copies what it read, a transaction for each partition.

    A rebalance waits for the transactions under way (`_copying`); what was read before one is not
    copied after it, since whoever owns the partition then starts at the committed offset.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self._producers: dict[TopicPartition, AIOKafkaProducer] = {}
        self._copying = asyncio.Lock()
        self._epoch = 0
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=task.bootstrap,
            group_id=task.group,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            partition_assignment_strategy=(StickyPartitionAssignor,),
            session_timeout_ms=SESSION_TIMEOUT_MS,
            heartbeat_interval_ms=HEARTBEAT_MS,
            rebalance_timeout_ms=REBALANCE_TIMEOUT_MS,
        )

    async def work(self, stopping: asyncio.Event) -> None:
        """Join the group, copy until told to stop, and leave it."""
        await self._consumer.start()
        self._consumer.subscribe([self._task.source], listener=self)
        await self._loop(stopping)
        await self._let_go()
        await self._consumer.stop()

    async def on_partitions_revoked(self, _: Iterable[TopicPartition]) -> None:
        """Let the transactions under way end."""
        await self._let_go()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Fence whoever had the partitions before."""
        self._producers = {partition: self._producer(partition) for partition in assigned}
        await asyncio.gather(*(producer.start() for producer in self._producers.values()))
        say({"assigned": len(self._producers)})

    async def _let_go(self) -> None:
        self._epoch += 1
        async with self._copying:
            await asyncio.gather(*(producer.stop() for producer in self._producers.values()))
            self._producers.clear()

    def _producer(self, partition: TopicPartition) -> AIOKafkaProducer:
        return AIOKafkaProducer(
            bootstrap_servers=self._task.bootstrap,
            transactional_id=f"{self._task.group}.{partition.topic}.{partition.partition}",
            transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
            retry_backoff_ms=RETRY_BACKOFF_MS,
        )

    async def _loop(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            read = await self._consumer.getmany(timeout_ms=POLL_MS, max_records=READ_AT_ONCE)
            epoch = self._epoch
            async with self._copying:
                if epoch == self._epoch:
                    await asyncio.gather(*(self._copy(*batch) for batch in read.items()))

    async def _copy(self, partition: TopicPartition, records: list[ConsumerRecord]) -> None:
        producer = self._producers[partition]
        async with producer.transaction():
            for record in records:
                await producer.send(
                    self._task.target, record.value, key=record.key, headers=_headers(record)
                )
            offsets = {partition: records[-1].offset + 1}
            await producer.send_offsets_to_transaction(offsets, self._task.group)


def _headers(record: ConsumerRecord) -> list[tuple[str, bytes]]:
    """Name the request as the service's outputs do."""
    return [
        ("x-request-partition", str(record.partition).encode()),
        ("ce_sequence", str(record.offset).encode()),
    ]


async def main() -> None:
    """Work until SIGTERM."""
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    await Member(Task(*sys.argv[1:])).work(stopping)


if __name__ == "__main__":
    uvloop.run(main())
