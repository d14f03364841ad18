"""Tracing as the standard `OTEL_*` variables ask for it; off unless an endpoint is named."""

from collections.abc import Mapping
from typing import Final, Protocol

from jiraiya_events.adapters.telemetry.untraced import Untraced
from jiraiya_events.generation.ports import ModelPort
from jiraiya_events.handlers.tracing import Tracer

_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


class Tracing(Tracer, Protocol):
    """A tracer with its life: made at start-up, closed after the last span."""

    def traced(self, model: ModelPort) -> ModelPort:
        """Return `model` with a span around every call, where tracing is on."""
        ...

    async def aclose(self) -> None:
        """Send what is left."""
        ...


def tracing_wanted(environ: Mapping[str, str]) -> bool:
    """Whether the environment names an endpoint and does not switch traces off."""
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    if environ.get("OTEL_TRACES_EXPORTER", "otlp").strip().lower() == "none":
        return False
    return any(environ.get(name, "").strip() for name in _ENDPOINTS)


def open_tracing(environ: Mapping[str, str], *, version: str, group: str) -> Tracing:
    """Return the tracer that `environ` asks for; `group` is the consumer group.

    The SDK reads its other settings (headers, sampler, resource) from the process's environment.
    """
    if not tracing_wanted(environ):
        return Untraced()
    # The SDK costs a third of a second to import, which is nobody's price who does not use it.
    from jiraiya_events.adapters.telemetry.otel import OtelTracer  # noqa: PLC0415 - the SDK is imported only when it is switched on

    return OtelTracer(version=version, group=group)
