"""From settings to the plain values each part is made with. No I/O."""

from collections.abc import Awaitable, Callable
from functools import partial

from jiraiya_events import __version__
from jiraiya_events.adapters.journal import FileJournal
from jiraiya_events.adapters.kafka.connection import KafkaConnection
from jiraiya_events.adapters.kafka.needs import Needs
from jiraiya_events.adapters.kafka.topics import apply_topics, topic_specs
from jiraiya_events.adapters.llm.options import Fallback, FormChoice, LlmOptions
from jiraiya_events.adapters.llm.prices import Prices
from jiraiya_events.contract.topics import Topics
from jiraiya_events.generation.breaker import BreakerPolicy
from jiraiya_events.generation.budgets import Budgets
from jiraiya_events.generation.retry_policy import RetryPolicy
from jiraiya_events.handlers.rules import Rules
from jiraiya_events.settings import Settings


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


def llm_options(settings: Settings) -> LlmOptions:
    """Return how to reach the model."""
    llm = settings.llm
    return LlmOptions(
        api_key=llm.api_key,
        model=llm.model,
        base_url=llm.base_url,
        allowed_models=llm.allowed_models,
        timeout_s=llm.timeout_s,
        max_output_tokens=llm.max_output_tokens,
        answer_form=FormChoice(llm.answer_form),
        fallbacks=tuple(
            Fallback(one.model, one.base_url, one.api_key) for one in llm.fallback_models
        ),
    )


def model_prices(settings: Settings, llm: LlmOptions) -> Prices:
    """Return what every model costs that can be asked, looked up once."""
    overrides = {
        model: {
            "input": str(price.input),
            "cached_input": str(price.cached),
            "output": str(price.output),
        }
        for model, price in settings.llm.prices.items()
    }
    prices = Prices(overrides, settings.llm.base_url)
    for route in (*llm.routes, *map(llm.route_of, llm.models)):
        prices.resolve(route.name, route.model, route.account.base_url)
    return prices


def daily_budgets(settings: Settings) -> Budgets:
    """Return what may be spent a day."""
    limits = settings.limits
    return Budgets.of_usd(limits.user_daily_usd, limits.global_daily_usd)


def breaker_policy(settings: Settings) -> BreakerPolicy:
    """Return when a breaker opens and closes."""
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


def retry_policy(settings: Settings) -> RetryPolicy:
    """Return how often, and after which waits, a call is tried again."""
    engine = settings.engine
    return RetryPolicy(
        max_tries=engine.max_tries, base_s=engine.retry_base_s, cap_s=engine.retry_cap_s
    )


def handler_rules(settings: Settings, topics: Topics, llm: LlmOptions) -> Rules:
    """Return what the handler goes by."""
    return Rules(
        topics=topics,
        default_model=llm.model,
        allowed_models=frozenset(llm.models),
        service_version=__version__,
        default_deadline_s=settings.engine.default_deadline_s,
        max_event_bytes=settings.engine.max_event_bytes,
    )


def topic_creation(
    settings: Settings, connection: KafkaConnection, topics: Topics
) -> Callable[[], Awaitable[object]] | None:
    """Return what creates missing topics at the start; None where that is not ours to do."""
    if not settings.topics.auto_create:
        return None
    specs = topic_specs(
        topics,
        partitions=settings.topics.partitions,
        replication_factor=settings.topics.replication_factor,
        dlq_retention_s=settings.store.ttl_s,
    )
    return partial(apply_topics, connection, specs)


def crash_journal(settings: Settings) -> FileJournal:
    """Return the journal of what runs, kept apart for every group and cluster."""
    scope = f"{settings.kafka.group_id}@{','.join(settings.kafka.bootstrap_servers)}"
    folder = settings.data_dir / "journals"
    return FileJournal(folder, scope=scope, slots=settings.engine.max_in_flight)


def needed_rights(settings: Settings, topics: Topics) -> Needs:
    """Return which topics and which group we must be allowed to use."""
    return Needs(
        read=(topics.requested,),
        write=(topics.generated, topics.failed, topics.dlq),
        group=settings.kafka.group_id,
    )


def _path(path: object) -> str | None:
    return None if path is None else str(path)
