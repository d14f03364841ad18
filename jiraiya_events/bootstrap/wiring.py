"""From settings to a service: every part is made here and nowhere else. No I/O."""

import os
import platform

from jiraiya_events import __version__
from jiraiya_events.adapters.kafka.cancelled_feed import CancelledFeed
from jiraiya_events.adapters.kafka.edge import KafkaEdge
from jiraiya_events.adapters.kafka.progress_writer import ProgressWriter
from jiraiya_events.adapters.kafka.writer import KafkaWriters
from jiraiya_events.adapters.telemetry.concurrency import ConcurrencyLimit
from jiraiya_events.adapters.telemetry.engine_metrics import Ending as MetricEnding
from jiraiya_events.adapters.telemetry.lag import ConsumerLag
from jiraiya_events.adapters.telemetry.metrics import Metrics, new_registry
from jiraiya_events.adapters.telemetry.tracing import open_tracing
from jiraiya_events.bootstrap.activity import Activity
from jiraiya_events.bootstrap.breaker_watch import BreakerWatch
from jiraiya_events.bootstrap.gate_watch import GateWatch
from jiraiya_events.bootstrap.health import ServiceHealth
from jiraiya_events.bootstrap.observers import CallEvents, EngineEvents
from jiraiya_events.bootstrap.options import (
    contract_topics,
    crash_journal,
    handler_rules,
    kafka_connection,
    needed_rights,
    topic_creation,
)
from jiraiya_events.bootstrap.service import Parts, Service
from jiraiya_events.bootstrap.store_watch import StoreWatch
from jiraiya_events.bootstrap.story_maker import build_story_maker
from jiraiya_events.bootstrap.vigil import Vigil
from jiraiya_events.contract.asyncapi import build_asyncapi
from jiraiya_events.contract.topics import Topics
from jiraiya_events.domain.clock import Clock, SystemClock
from jiraiya_events.engine.engine import Engine
from jiraiya_events.engine.limits import Limits
from jiraiya_events.generation.gate import AdaptiveGate
from jiraiya_events.handlers.admission import Memory
from jiraiya_events.handlers.cancel_reader import CancelReader
from jiraiya_events.handlers.cancellations import REMEMBERED_S, Cancellations
from jiraiya_events.handlers.ending import Ending
from jiraiya_events.handlers.limiting import Limiting
from jiraiya_events.handlers.opening import Opening
from jiraiya_events.handlers.places import slot_place
from jiraiya_events.handlers.progress_outputs import ProgressFeeds
from jiraiya_events.handlers.story_handler import StoryHandler
from jiraiya_events.settings import Settings
from jiraiya_events.sidecar.app import sidecar_app
from jiraiya_events.sidecar.server import SidecarServer


def build_service(settings: Settings) -> Service:
    """Return a service that has not touched anything outside. Raises `SettingsError`."""
    clock = SystemClock()
    topics = contract_topics(settings)
    connection = kafka_connection(settings)
    metrics = Metrics(new_registry(), version=__version__)
    calls = CallEvents(metrics)
    tracing = open_tracing(os.environ, version=__version__, group=settings.kafka.group_id)
    maker = build_story_maker(settings, clock, calls, tracing.traced)
    rules = handler_rules(settings, topics, maker.llm)
    cancellations = Cancellations()
    memory = Memory(maker.stores.results, calls, maker.backlog)
    progress = ProgressWriter(
        connection,
        topics.progress,
        lambda result, count: metrics.progress_events.labels(result).inc(count),
    )
    withheld = maker.moderation is not None
    feeds = ProgressFeeds(progress, topics.progress, clock, maker.beginning, withheld)
    handler = StoryHandler(
        maker.generator,
        memory,
        tracing,
        clock,
        rules,
        Opening(memory, clock, rules, cancellations, feeds),
        Limiting(maker.user_limits, calls),
    )
    activity = Activity()
    edge = KafkaEdge(
        connection,
        group=settings.kafka.group_id,
        topic=topics.requested,
        instance_id=settings.kafka.group_instance_id,
    )
    journal = crash_journal(settings)
    engine = Engine(
        edge.intake,
        KafkaWriters(connection, settings.kafka.group_id),
        edge.handler(handler.handle, handler.crashed),
        limits=Limits(in_flight=settings.engine.max_in_flight),
        observer=EngineEvents(metrics, clock, _metric_ending, activity),
        journal=journal,
    )
    edge.bind(engine)
    cancellations.wake = engine.wake
    cancels = CancelReader(cancellations, clock, rules.max_event_bytes)
    service = Service(
        Parts(
            connection=connection,
            edge=edge,
            cancelled_feed=CancelledFeed(
                connection, topics.cancelled, cancels.take, clock, back_s=REMEMBERED_S
            ),
            engine=engine,
            journal=journal,
            maker=maker,
            progress=progress,
            tracing=tracing,
            breaker_watch=BreakerWatch(
                maker.breakers,
                clock,
                calls,
                engine.unpark,
                places=lambda name: maker.chains.heads_of(name) or (name,),
                queue=slot_place,
            ),
            store_watch=StoreWatch(maker.stores.results, calls, maker.backlog),
            gate_watch=GateWatch(maker.gate, clock, engine.unpark, place=slot_place),
            vigil=Vigil(
                edge,
                engine,
                maker.breakers,
                activity,
                needed_rights(settings, topics),
                call_timeout_s=settings.llm.timeout_s,
            ),
            calls=calls,
            drain_s=settings.engine.drain_timeout_s,
            create_topics=topic_creation(settings, connection, topics),
        )
    )
    _watch(metrics, engine, edge, maker.gate, clock)
    service.attach(_sidecar(settings, service, metrics, topics))
    return service


def _sidecar(
    settings: Settings, service: Service, metrics: Metrics, topics: Topics
) -> SidecarServer:
    app = sidecar_app(
        health=ServiceHealth(service, SystemClock()),
        registry=metrics.registry,
        asyncapi=build_asyncapi(
            topics,
            server=settings.kafka.bootstrap_servers[0],
            group_id=settings.kafka.group_id,
        ),
        build={"version": __version__, "python": platform.python_version()},
    )
    return SidecarServer(app, host=settings.http.host, port=settings.http.port)


def _watch(
    metrics: Metrics, engine: Engine, edge: KafkaEdge, gate: AdaptiveGate, clock: Clock
) -> None:
    """Let the gauges read the engine and the gate when they are asked."""
    metrics.in_flight.set_function(lambda: engine.statistics().in_flight)
    metrics.waiting.set_function(lambda: engine.statistics().waiting)

    def lags() -> dict[tuple[str, int], int]:
        found: dict[tuple[str, int], int] = {}
        for session in engine.statistics().sessions:
            if session.frontier is not None:
                lag = edge.intake.lag(session.partition, session.frontier)
                if lag is not None:
                    found[session.partition] = lag
        return found

    ConsumerLag(lags, metrics.registry)
    ConcurrencyLimit(
        lambda: {one.model: one.limit for one in gate.statistics(clock.now())}, metrics.registry
    )


def _metric_ending(label: object) -> MetricEnding | None:
    return MetricEnding(*label) if isinstance(label, Ending) else None
