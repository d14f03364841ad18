"""Settings that are each right and do not go together."""

from collections.abc import Iterator

from jiraiya_events.settings.model import Settings


def conflicts(settings: Settings) -> Iterator[str]:
    """Yield one readable line for each contradiction."""
    yield from _sasl(settings)
    yield from _tls(settings)
    yield from _topic_names(settings)
    yield from _durations(settings)
    yield from _production(settings)


def _sasl(settings: Settings) -> Iterator[str]:
    kafka = settings.kafka
    given = {
        "JIRAIYA_KAFKA__SASL_MECHANISM": kafka.sasl_mechanism,
        "JIRAIYA_KAFKA__SASL_USERNAME": kafka.sasl_username,
        "JIRAIYA_KAFKA__SASL_PASSWORD": kafka.sasl_password,
    }
    protocol = f"JIRAIYA_KAFKA__SECURITY_PROTOCOL={kafka.security_protocol}"
    wanted = kafka.security_protocol.startswith("SASL_")
    for name, value in given.items():
        if wanted and value is None:
            yield f"{name} is not set, and {protocol} needs it"
        if not wanted and value is not None:
            yield f"{name} is set, and {protocol} does not use it; use SASL_SSL or remove it"


def _tls(settings: Settings) -> Iterator[str]:
    kafka = settings.kafka
    encrypted = kafka.security_protocol.endswith("SSL")
    for field in ("ssl_cafile", "ssl_certfile", "ssl_keyfile"):
        path, name = getattr(kafka, field), f"JIRAIYA_KAFKA__{field.upper()}"
        if path is not None and not path.is_file():
            yield f"{name}={str(path)!r}: there is no such file"
        if path is not None and not encrypted:
            protocol = kafka.security_protocol
            yield f"{name} is set, and JIRAIYA_KAFKA__SECURITY_PROTOCOL={protocol} does not use it"
    if kafka.ssl_keyfile is not None and kafka.ssl_certfile is None:
        yield "JIRAIYA_KAFKA__SSL_KEYFILE is set without JIRAIYA_KAFKA__SSL_CERTFILE"


def _topic_names(settings: Settings) -> Iterator[str]:
    seen: dict[str, str] = {}
    for field, topic in settings.topics.names().items():
        name = f"JIRAIYA_TOPICS__{field.upper()}"
        # Kafka itself refuses two names that differ in `.` and `_` alone (its metrics collide).
        other = seen.setdefault(topic.replace(".", "_"), name)
        if other != name:
            yield f"{name}={topic!r} is also the name of {other} (to Kafka, . and _ are alike)"


def _durations(settings: Settings) -> Iterator[str]:
    engine, store = settings.engine, settings.store
    if engine.retry_cap_s < engine.retry_base_s:
        yield (
            f"JIRAIYA_ENGINE__RETRY_CAP_S={engine.retry_cap_s:g} is less than "
            f"JIRAIYA_ENGINE__RETRY_BASE_S={engine.retry_base_s:g}"
        )
    if settings.env != "dev" and store.ttl_s < engine.default_deadline_s:
        yield (
            f"JIRAIYA_STORE__TTL_S={store.ttl_s:g} is less than "
            f"JIRAIYA_ENGINE__DEFAULT_DEADLINE_S={engine.default_deadline_s:g}: "
            "a redelivered request would be paid twice"
        )


def _production(settings: Settings) -> Iterator[str]:
    if settings.env == "prod" and settings.store.url == "memory://":
        yield (
            "JIRAIYA_STORE__URL='memory://' forgets what was paid at every restart; "
            "JIRAIYA_ENV=prod needs sqlite:///path, or redis://host:6379/0 for several replicas"
        )
    if settings.env != "dev" and settings.topics.auto_create:
        yield (
            f"JIRAIYA_TOPICS__AUTO_CREATE=true is for JIRAIYA_ENV=dev, not {settings.env}; "
            "create the topics with `jiraiya topics apply`"
        )
