"""The running service: what starts, in which order, and what stops, in reverse."""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass

import structlog
from aiokafka.errors import KafkaError

from jiraiya_events.adapters.journal import FileJournal
from jiraiya_events.adapters.kafka.availability import wait_for_broker
from jiraiya_events.adapters.kafka.cancelled_feed import CancelledFeed
from jiraiya_events.adapters.kafka.connection import KafkaConnection
from jiraiya_events.adapters.kafka.edge import KafkaEdge
from jiraiya_events.adapters.kafka.progress_writer import ProgressWriter
from jiraiya_events.adapters.telemetry.tracing import Tracing
from jiraiya_events.bootstrap.breaker_watch import BreakerWatch
from jiraiya_events.bootstrap.gate_watch import GateWatch
from jiraiya_events.bootstrap.journal_keeping import keep_journal
from jiraiya_events.bootstrap.observers import CallEvents
from jiraiya_events.bootstrap.store_watch import StoreWatch
from jiraiya_events.bootstrap.story_maker import StoryMaker
from jiraiya_events.bootstrap.vigil import Vigil
from jiraiya_events.domain.errors import BrokerUnavailable
from jiraiya_events.domain.looks import Look
from jiraiya_events.engine.engine import Engine
from jiraiya_events.engine.statistics import Statistics
from jiraiya_events.sidecar.server import SidecarServer

log = structlog.get_logger(__name__)

AGAIN_S = 1.0

LEAVE_S = 3.0
CLOSE_S = 5.0
"""With the engine's 7 s a stop takes 15 s beyond the draining, whoever hangs: whatever stops the
process must wait for longer than that."""

_YOUNG_OBJECTS = 10_000


@dataclass(slots=True, kw_only=True)
class Parts:
    """What the wiring has put together."""

    connection: KafkaConnection
    edge: KafkaEdge
    cancelled_feed: CancelledFeed
    engine: Engine
    journal: FileJournal
    maker: StoryMaker
    progress: ProgressWriter
    tracing: Tracing
    breaker_watch: BreakerWatch
    gate_watch: GateWatch
    store_watch: StoreWatch
    vigil: Vigil
    calls: CallEvents
    drain_s: float
    create_topics: Callable[[], Awaitable[object]] | None


class Service:
    """One replica. `start` and `stop` once each; `run` does both around an event."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._exit = AsyncExitStack()
        self._sidecar: SidecarServer | None = None
        self.breakers = parts.maker.breakers
        self.vigil = parts.vigil
        self.warnings = parts.maker.warnings
        self.started = False

    def attach(self, sidecar: SidecarServer) -> None:
        """Serve this sidecar for as long as the service runs."""
        self._sidecar = sidecar

    async def run(self, stopping: asyncio.Event) -> None:
        """Start, work until `stopping` is set, then stop in good order.

        Raises `ServiceError` when it cannot start. May be stopped while it waits for Kafka.
        """
        starting = asyncio.ensure_future(self.start())
        waiting = asyncio.ensure_future(stopping.wait())
        failing = asyncio.ensure_future(self._parts.vigil.end())
        try:
            await asyncio.wait({starting, waiting, failing}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
                await asyncio.wait({waiting, failing}, return_when=asyncio.FIRST_COMPLETED)
            if failing.done():
                self._parts.drain_s = 0.0  # somebody else has our partitions
                failing.result()
        finally:
            for task in (starting, waiting, failing):
                task.cancel()
            await asyncio.gather(starting, waiting, failing, return_exceptions=True)
            await self.stop()

    async def start(self) -> None:
        """Open the probes first, then wait for Kafka, then join the group."""
        parts = self._parts
        for warning in self.warnings:
            log.warning(warning)
        if self._sidecar is not None:
            await self._sidecar.start()
            self._exit.push_async_callback(self._sidecar.stop)
        await keep_journal(parts.journal, self._exit, parts.calls.cut_by_crash)
        self._exit.push_async_callback(parts.tracing.aclose)
        self._exit.push_async_callback(parts.maker.aclose)
        parts.store_watch.start()
        self._exit.push_async_callback(parts.store_watch.stop)
        self._exit.push_async_callback(parts.progress.stop)
        self._exit.callback(parts.gate_watch.stop)
        self._exit.callback(parts.breaker_watch.stop)
        self._exit.push_async_callback(parts.cancelled_feed.stop)
        await asyncio.gather(parts.maker.load(), self._reach_kafka())
        await self._join()
        parts.vigil.start()
        self._exit.push_async_callback(parts.vigil.stop)
        # What the imports left behind lives as long as the process: without this every full
        # collection walks all of it: about a fifth of the CPU of a story when it was measured.
        gc.collect()
        gc.freeze()
        # Calls under way are thousands of young objects: walking them after every 700 new ones
        # took 6 % of the CPU of a story, stalled the loop for up to 19 ms, and collected nothing.
        gc.set_threshold(_YOUNG_OBJECTS, 10, 10)
        self.started = True
        log.info("ready: consuming", group_topic=parts.edge.topic)

    async def stop(self) -> None:
        """Drain, commit, leave the group, close everything; safe to call after a failed start."""
        parts = self._parts
        parts.journal.stopping()
        if self.started:
            log.info("stopping: draining what runs", drain_timeout_s=parts.drain_s)
        # Sessions may be at work before the start has returned.
        await parts.engine.stop(parts.drain_s)
        await _within(LEAVE_S, parts.edge.stop(), "leaving the group")
        await _within(CLOSE_S, self._exit.aclose(), "closing what is open")
        log.info("stopped")

    def statistics(self) -> Statistics:
        """Return the engine's snapshot."""
        return self._parts.engine.statistics()

    @property
    def sidecar_port(self) -> int:
        """Return the port the sidecar listens on."""
        return self._sidecar.port if self._sidecar is not None else 0

    @property
    def store_error(self) -> str | None:
        """Return why the result store does not work, None when it does."""
        return self._parts.calls.store_error

    @property
    def store_heard(self) -> Look | None:
        """Return the store's last answer to a ping."""
        return self._parts.store_watch.heard

    @property
    def cancelled_feed(self) -> CancelledFeed:
        """Return the reader of cancellations."""
        return self._parts.cancelled_feed

    def joined(self) -> bool:
        """Return whether the group has told us of an assignment, empty or not."""
        return self._parts.edge.joined

    async def _reach_kafka(self) -> None:
        await wait_for_broker(self._parts.connection)
        if self._parts.create_topics is not None:
            await self._parts.create_topics()
        # Before the group is joined: what was withdrawn while nobody worked need not be begun.
        await self._parts.cancelled_feed.start()

    async def _join(self) -> None:
        """Join the group; a broker that went away again is waited for."""
        while True:
            await self._wait_for_needs()
            try:
                await self._parts.edge.start()
            except KafkaError as error:
                log.warning("joining the group failed; trying again", error=repr(error))
                await self._parts.edge.stop()
                await asyncio.sleep(AGAIN_S)
                await wait_for_broker(self._parts.connection)
            else:
                return

    async def _wait_for_needs(self) -> None:
        """Return when topics and rights are there: without them stories are paid for in vain."""
        parts = self._parts
        while True:
            try:
                if await parts.vigil.examine(parts.connection):
                    return
            except BrokerUnavailable as error:
                log.warning("asking Kafka for topics and rights failed", error=str(error))
            await asyncio.sleep(AGAIN_S)


async def _within(seconds: float, ending: Coroutine[object, object, None], what: str) -> None:
    """Wait for an end, and go on without it when a broker, say, holds it up."""
    task = asyncio.ensure_future(ending)
    try:
        await asyncio.wait([task], timeout=seconds)
    finally:
        task.cancel()
    if not task.done():
        log.warning("stopping goes on without an end that takes too long", what=what)
    else:
        task.result()
