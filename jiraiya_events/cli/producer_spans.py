"""Spans for what this process publishes, when OpenTelemetry's variables name an endpoint."""
# ruff: noqa: PLC0415 - the SDK costs a third of a second to import

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from jiraiya_events.adapters.telemetry.tracing import tracing_wanted


@contextmanager
def producer_spans(environ: Mapping[str, str]) -> Iterator[None]:
    """Let every `send` open a span and put its `traceparent` on the record.

    Without an endpoint the client's own `traceparent` stands. The instrumentation replaces it
    by appending a header, of which the last wins.
    """
    if not tracing_wanted(environ):
        yield
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.aiokafka import AIOKafkaInstrumentor
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": "jiraiya-cli"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    instrumentor = AIOKafkaInstrumentor()
    instrumentor.instrument(tracer_provider=provider)
    try:
        yield
    finally:
        instrumentor.uninstrument()
        provider.shutdown()
