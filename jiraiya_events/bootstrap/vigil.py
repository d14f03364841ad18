"""Keeps watch while the service runs: over broker, topics and rights, the logs, and progress."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress

import structlog
from aiokafka import AIOKafkaConsumer

from jiraiya_events.adapters.kafka.admin import cluster_client
from jiraiya_events.adapters.kafka.cluster_watch import ClusterWatch
from jiraiya_events.adapters.kafka.connection import KafkaConnection
from jiraiya_events.adapters.kafka.edge import KafkaEdge
from jiraiya_events.adapters.kafka.log_watch import LogWatch
from jiraiya_events.adapters.kafka.needs import Lack, Needs
from jiraiya_events.adapters.kafka.pulse import EVERY_S, BrokerPulse
from jiraiya_events.bootstrap.activity import Activity
from jiraiya_events.bootstrap.troubles import describe_troubles, forget_mended
from jiraiya_events.bootstrap.watchdog import Facts, Watchdog, runnable_work
from jiraiya_events.domain.errors import InstanceTaken
from jiraiya_events.domain.looks import Look
from jiraiya_events.engine.engine import Engine
from jiraiya_events.generation.breaker import Breaker, State
from jiraiya_events.generation.breakers import Breakers

log = structlog.get_logger(__name__)

SILENT_S = 5.0
"""A question waits so long for its answer: what stands still may do so because of the broker."""


class Vigil:
    """What is seen here goes into the probes, into the engine, and to an operator."""

    def __init__(
        self,
        edge: KafkaEdge,
        engine: Engine,
        breakers: Breakers,
        activity: Activity,
        needs: Needs,
        *,
        call_timeout_s: float,
    ) -> None:
        self._engine = engine
        self._breakers = breakers
        self._activity = activity
        self._call_timeout_s = call_timeout_s
        self._watchdog = Watchdog()
        self._told_stuck = False
        self._cluster = ClusterWatch(needs, engine.restart, edge.partitions_added)
        self._logs = LogWatch(
            lambda: engine.statistics().sessions,
            engine.begins_at,
            engine.halt,
            edge.intake.is_paused,
        )
        self._pulse = BrokerPulse(edge.intake, (self._look_at_cluster, self._logs.look))
        self._progress: asyncio.Task[None] | None = None
        self._place_lost = asyncio.Event()
        edge.on_place_lost = self._place_lost.set

    def start(self) -> None:
        """Watch from now on."""
        self._pulse.start()
        self._progress = asyncio.get_running_loop().create_task(self._watch_progress())

    async def stop(self) -> None:
        """Watch no more."""
        await self._pulse.stop()
        if self._progress is not None:
            self._progress.cancel()
            with suppress(asyncio.CancelledError):
                await self._progress

    async def end(self) -> None:
        """Wait for what the service cannot go on after; raises the `ServiceError`."""
        await self._place_lost.wait()
        raise InstanceTaken

    def silent_s(self) -> float:
        """Return for how long the broker has not answered."""
        return self._pulse.silent_s()

    @property
    def heard(self) -> Look | None:
        """Return the broker's last answer."""
        return self._pulse.heard

    @property
    def lacks(self) -> tuple[Lack, ...]:
        """Return which topics and rights are missing."""
        return self._cluster.lacks

    async def examine(self, connection: KafkaConnection) -> bool:
        """Ask before there is a consumer; tell whether all is there.

        Raises `BrokerUnavailable`.
        """
        async with cluster_client(connection) as client:
            return await self._cluster.look(client)

    def troubles(self) -> Iterator[str]:
        """Yield a line for each partition that stands still, and why."""
        now_s = asyncio.get_running_loop().time()
        sessions = self._engine.statistics().sessions
        return describe_troubles(sessions, self._activity.troubles, now_s)

    def stuck(self) -> list[str]:
        """Return the runnable work that makes no progress although nothing holds it."""
        parked = self._engine.statistics().parked
        facts = Facts(
            broker_answers=self._pulse.silent_s() <= SILENT_S,
            cluster_complete=not self._cluster.lacks,
            breakers_closed=not any(holds_back(b, parked) for b in self._breakers),
            unread=self._logs.unread,
            call_timeout_s=self._call_timeout_s,
        )
        now_s = asyncio.get_running_loop().time()
        work = runnable_work(self._engine.statistics(), self._activity, facts)
        return self._watchdog.look(now_s, work)

    async def _look_at_cluster(self, consumer: AIOKafkaConsumer) -> None:
        await self._cluster.look(consumer._client)  # noqa: SLF001 - one connection is enough

    async def _watch_progress(self) -> None:
        """Look at a steady pace, not one of the broker's: a pause would look like a sleep."""
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                self._look_at_progress()
            except Exception as error:  # the watch must go on, whatever a look runs into
                log.exception("a look at the progress failed", error=repr(error))

    def _look_at_progress(self) -> None:
        if self._pulse.silent_s() <= SILENT_S:
            self._tell(self.stuck())
            forget_mended(self._engine.statistics().sessions, self._activity.troubles)

    def _tell(self, stuck: list[str]) -> None:
        """Say it in the log too: a restart takes the probe's answer with it."""
        if stuck and not self._told_stuck:
            log.critical("work that could move does not: /health/live is red", stuck=stuck)
        elif self._told_stuck and not stuck:
            log.warning("work moves again")
        self._told_stuck = bool(stuck)


def holds_back(breaker: Breaker, parked: int) -> bool:
    """Tell whether a breaker keeps requests waiting; unused, one may stay half-open for long."""
    return breaker.state is State.OPEN or (breaker.state is State.HALF_OPEN and parked > 0)
