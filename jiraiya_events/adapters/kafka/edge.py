"""The edge to Kafka: a FastStream broker whose one subscriber feeds the engine."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from faststream import AckPolicy
from faststream.kafka import KafkaBroker

from jiraiya_events.adapters.kafka.connection import KafkaConnection
from jiraiya_events.adapters.kafka.intake import KafkaIntake
from jiraiya_events.adapters.kafka.subscriber import (
    EngineListener,
    EngineSubscriber,
    decode,
    parse,
)
from jiraiya_events.adapters.kafka.tenure import Tenure
from jiraiya_events.engine.engine import Engine
from jiraiya_events.engine.records import Record
from jiraiya_events.engine.verdicts import Done, Verdict, Work

SESSION_TIMEOUT_MS = 10_000
STATIC_SESSION_TIMEOUT_MS = 45_000
"""With static membership: a restart must fit in, and a dead member's partitions wait as long."""

FETCH_WAIT_MS = 100
"""One fetch is under way per broker, for all partitions that are read at its start. One that is
resumed meanwhile waits for its end: with the default, half a second when the others are idle."""

HEARTBEAT_MS = 3_000
REBALANCE_TIMEOUT_MS = 30_000

Handle = Callable[[Work], Awaitable[Verdict]]
Crashed = Callable[[Work, Exception], Done]


@dataclass(slots=True)
class EdgeHandler:
    """The engine's handler: FastStream's middlewares around `handle`; `crashed` stays direct."""

    call: Handle
    on_crash: Crashed

    async def handle(self, work: Work) -> Verdict:
        """Give a record its turn."""
        return await self.call(work)

    def crashed(self, work: Work, error: Exception) -> Done:
        """End a record on which our own code failed."""
        return self.on_crash(work, error)


class KafkaEdge:
    """Reads `topic` for `group` and hands records to the engine it is bound to."""

    def __init__(
        self,
        connection: KafkaConnection,
        *,
        group: str,
        topic: str,
        instance_id: str | None = None,
    ) -> None:
        self.topic = topic
        self.on_place_lost: Callable[[], None] = lambda: None
        """Told when another process is the member that we were; we do not join again."""
        session_ms = STATIC_SESSION_TIMEOUT_MS if instance_id else SESSION_TIMEOUT_MS
        self._tenure = Tenure() if instance_id else None
        self._engine: Engine | None = None
        self._listener = EngineListener(self.engine, self._place_lost)
        self._listener.on_assigned = self._assigned
        self.broker = KafkaBroker(
            connection.bootstrap_servers.split(","),
            security=connection.faststream_security(),
            consumer_only=True,  # all writing goes through the sessions' transactions
            allow_auto_create_topics=False,
            apply_types=False,
            logger=None,
            client_id=group,
        )
        subscriber = self.broker.subscriber(
            topic,
            group_id=group,
            group_instance_id=instance_id,
            parser=parse,
            decoder=decode,
            ack_policy=AckPolicy.MANUAL,
            no_reply=True,
            listener=self._listener,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            fetch_max_wait_ms=FETCH_WAIT_MS,
            partition_assignment_strategy=(StickyPartitionAssignor,),
            session_timeout_ms=session_ms,
            heartbeat_interval_ms=HEARTBEAT_MS,
            rebalance_timeout_ms=REBALANCE_TIMEOUT_MS,
        )
        self.intake = KafkaIntake(lambda: self._subscriber.consumer)
        self._subscriber = EngineSubscriber.install(subscriber, self._deliver, self.intake.read)

    def handler(self, handle: Handle, on_crash: Crashed) -> EdgeHandler:
        """Register `handle` with FastStream and return what the engine is to call."""
        self._subscriber(handle)
        return EdgeHandler(self._subscriber.call, on_crash)

    def bind(self, engine: Engine) -> None:
        """Feed this engine from now on."""
        self._engine = engine

    def engine(self) -> Engine:
        """Return the engine that is fed."""
        if self._engine is None:
            msg = "the edge is not bound to an engine"
            raise RuntimeError(msg)
        return self._engine

    @property
    def joined(self) -> bool:
        """Return whether the group has told us of an assignment, empty or not."""
        return self._listener.assignments > 0

    def partitions_added(self, _topic: str) -> None:
        """Have partitions assigned anew, where the client does not do so by itself.

        A static member that led the group and restarted is not told that it still leads it, and
        so watches for nothing (KIP-814). To ask again as the leader is enough.
        """
        if self._tenure is not None:
            self.intake.rejoin()

    async def start(self) -> None:
        """Join the group. Raises aiokafka's `KafkaError` when the broker is away."""
        await self.broker.start()

    async def stop(self) -> None:
        """Leave the group; the engine must have stopped before."""
        await self.broker.stop()

    def _assigned(self) -> None:
        if self._tenure is not None:
            self._tenure.joined(asyncio.get_running_loop().time())

    def _place_lost(self) -> bool:
        """Tell whether the group has given our place to another process for good."""
        if self._tenure is None or self.intake.is_member():
            return False
        lost = self._tenure.is_over(asyncio.get_running_loop().time())
        if lost:
            self.on_place_lost()
        return lost

    def _deliver(self, record: Record) -> None:
        if self._engine is not None:
            self._engine.accept(record)
