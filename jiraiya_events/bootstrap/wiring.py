"""From settings to a service: every part is made here and nowhere else. No I/O."""

import os
import platform
from collections.abc import Awaitable, Callable
from functools import partial

from jiraiya_events import __version__
from jiraiya_events.adapters.journal import FileJournal
from jiraiya_events.adapters.kafka.cancelled_feed import CancelledFeed
from jiraiya_events.adapters.kafka.connection import KafkaConnection
from jiraiya_events.adapters.kafka.edge import KafkaEdge
from jiraiya_events.adapters.kafka.needs import Needs
from jiraiya_events.adapters.kafka.topics import apply_topics, topic_specs
from jiraiya_events.adapters.kafka.writer import KafkaWriters
from jiraiya_events.adapters.llm.deferred import DeferredModel
from jiraiya_events.adapters.llm.options import LlmOptions
from jiraiya_events.adapters.llm.prices import Prices
from jiraiya_events.adapters.store.open_store import open_store
from jiraiya_events.adapters.telemetry.engine_metrics import Ending as MetricEnding
from jiraiya_events.adapters.telemetry.lag import ConsumerLag
from jiraiya_events.adapters.telemetry.metrics import Metrics, new_registry
from jiraiya_events.adapters.telemetry.tracing import open_tracing
from jiraiya_events.bootstrap.activity import Activity
from jiraiya_events.bootstrap.breaker_watch import BreakerWatch
from jiraiya_events.bootstrap.health import ServiceHealth
from jiraiya_events.bootstrap.observers import CallEvents, EngineEvents
from jiraiya_events.bootstrap.service import Parts, Service
from jiraiya_events.bootstrap.vigil import Vigil
from jiraiya_events.contract.asyncapi import build_asyncapi
from jiraiya_events.contract.topics import Topics
from jiraiya_events.domain.clock import SystemClock
from jiraiya_events.engine.engine import Engine
from jiraiya_events.engine.limits import Limits
from jiraiya_events.generation.breaker import BreakerPolicy
from jiraiya_events.generation.breakers import Breakers
from jiraiya_events.generation.gate import RetryAfterGate
from jiraiya_events.generation.generator import Generator, GeneratorOptions
from jiraiya_events.generation.retry_policy import RetryPolicy
from jiraiya_events.handlers.admission import Memory
from jiraiya_events.handlers.cancel_reader import CancelReader
from jiraiya_events.handlers.cancellations import REMEMBERED_S, Cancellations
from jiraiya_events.handlers.ending import Ending
from jiraiya_events.handlers.rules import Rules
from jiraiya_events.handlers.story_handler import StoryHandler
from jiraiya_events.settings import Settings
from jiraiya_events.sidecar.app import sidecar_app
from jiraiya_events.sidecar.server import SidecarServer


def kafka_connection(settings: Settings) -> KafkaConnection:
    """Return how to reach Kafka."""
    kafka = settings.kafka
    password = kafka.sasl_password
    return KafkaConnection(
        bootstrap_servers=",".join(kafka.bootstrap_servers),
        security_protocol=kafka.security_protocol,
        sasl_mechanism=kafka.sasl_mechanism or "PLAIN",
        sasl_username=kafka.sasl_username,
        sasl_password=password.get_secret_value() if password else None,
        ssl_cafile=_path(kafka.ssl_cafile),
        ssl_certfile=_path(kafka.ssl_certfile),
        ssl_keyfile=_path(kafka.ssl_keyfile),
    )


def contract_topics(settings: Settings) -> Topics:
    """Return the topics' names."""
    return Topics(**settings.topics.names())


def build_service(settings: Settings) -> Service:
    """Return a service that has not touched anything outside. Raises `SettingsError`."""
    clock = SystemClock()
    topics = contract_topics(settings)
    connection = kafka_connection(settings)
    metrics = Metrics(new_registry(), version=__version__)
    calls = CallEvents(metrics)
    tracing = open_tracing(os.environ, version=__version__, group=settings.kafka.group_id)
    store = open_store(settings.store.url, settings.store.ttl_s, clock)
    llm = _llm_options(settings)
    model = DeferredModel(llm)
    breakers = Breakers(_breaker_policy(settings), llm.models)
    generator = Generator(
        model=tracing.traced(model),
        store=store,
        prices=_prices(settings),
        breakers=breakers,
        gate=RetryAfterGate(),
        retry=_retry_policy(settings),
        options=GeneratorOptions(llm.model, llm.timeout_s, llm.max_output_tokens),
        clock=clock,
        observer=calls,
    )
    rules = _rules(settings, topics, llm)
    cancellations = Cancellations()
    handler = StoryHandler(generator, Memory(store, calls), tracing, clock, rules, cancellations)
    activity = Activity()
    edge = KafkaEdge(
        connection,
        group=settings.kafka.group_id,
        topic=topics.requested,
        instance_id=settings.kafka.group_instance_id,
    )
    journal = _journal(settings)
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
            model=model,
            store=store,
            tracing=tracing,
            breakers=breakers,
            breaker_watch=BreakerWatch(breakers, clock, calls, engine.unpark),
            vigil=Vigil(
                edge,
                engine,
                breakers,
                activity,
                _needs(settings, topics),
                call_timeout_s=settings.llm.timeout_s,
            ),
            calls=calls,
            drain_s=settings.engine.drain_timeout_s,
            create_topics=_topic_creation(settings, connection, topics),
        )
    )
    _watch(metrics, engine, edge)
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


def _watch(metrics: Metrics, engine: Engine, edge: KafkaEdge) -> None:
    """Let the gauges read the engine when they are asked."""
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


def _llm_options(settings: Settings) -> LlmOptions:
    llm = settings.llm
    return LlmOptions(
        api_key=llm.api_key,
        model=llm.model,
        base_url=llm.base_url,
        allowed_models=llm.allowed_models,
        timeout_s=llm.timeout_s,
        max_output_tokens=llm.max_output_tokens,
    )


def _prices(settings: Settings) -> Prices:
    overrides = {
        model: {
            "input": str(price.input),
            "cached_input": str(price.cached),
            "output": str(price.output),
        }
        for model, price in settings.llm.prices.items()
    }
    prices = Prices(overrides, settings.llm.base_url)
    for model in (settings.llm.model, *settings.llm.allowed_models):
        prices.resolve(model)
    return prices


def _breaker_policy(settings: Settings) -> BreakerPolicy:
    breaker = settings.breaker
    return BreakerPolicy(
        failure_rate=breaker.failure_rate,
        minimum_calls=breaker.minimum_calls,
        consecutive_failures=breaker.consecutive_failures,
        window_s=breaker.window_s,
        open_s=breaker.open_s,
        half_open_calls=breaker.half_open_calls,
        slow_call_s=breaker.slow_call_s,
    )


def _retry_policy(settings: Settings) -> RetryPolicy:
    engine = settings.engine
    return RetryPolicy(
        max_tries=engine.max_tries, base_s=engine.retry_base_s, cap_s=engine.retry_cap_s
    )


def _rules(settings: Settings, topics: Topics, llm: LlmOptions) -> Rules:
    return Rules(
        topics=topics,
        default_model=llm.model,
        allowed_models=frozenset(llm.models),
        service_version=__version__,
        default_deadline_s=settings.engine.default_deadline_s,
        max_event_bytes=settings.engine.max_event_bytes,
    )


def _topic_creation(
    settings: Settings, connection: KafkaConnection, topics: Topics
) -> Callable[[], Awaitable[object]] | None:
    if not settings.topics.auto_create:
        return None
    specs = topic_specs(
        topics,
        partitions=settings.topics.partitions,
        replication_factor=settings.topics.replication_factor,
        dlq_retention_s=settings.store.ttl_s,
    )
    return partial(apply_topics, connection, specs)


def _journal(settings: Settings) -> FileJournal:
    scope = f"{settings.kafka.group_id}@{','.join(settings.kafka.bootstrap_servers)}"
    folder = settings.data_dir / "journals"
    return FileJournal(folder, scope=scope, slots=settings.engine.max_in_flight)


def _needs(settings: Settings, topics: Topics) -> Needs:
    return Needs(
        read=(topics.requested,),
        write=(topics.generated, topics.failed, topics.dlq),
        group=settings.kafka.group_id,
    )


def _metric_ending(label: object) -> MetricEnding | None:
    return MetricEnding(*label) if isinstance(label, Ending) else None


def _path(path: object) -> str | None:
    return None if path is None else str(path)
