"""Spans for what this process publishes, when OpenTelemetry's variables name an endpoint."""
# ruff: noqa: PLC0415 - the SDK costs a third of a second to import

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from jiraiya_events.adapters.telemetry.tracing import tracing_wanted

PATIENCE_S = 2.0
"""How long a collector may keep a person waiting at the end of a command."""


@contextmanager
def producer_spans(environ: Mapping[str, str]) -> Iterator[bool]:
    """Let every `send` open a span and put its `traceparent` on the record; yield whether."""
    if not tracing_wanted(environ):
        yield False
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.aiokafka import AIOKafkaInstrumentor
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": "jiraiya-cli"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=PATIENCE_S)))
    instrumentor = AIOKafkaInstrumentor()
    instrumentor.instrument(tracer_provider=provider)
    try:
        yield True
    finally:
        instrumentor.uninstrument()
        provider.shutdown()
