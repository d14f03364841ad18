"""Spans through OpenTelemetry's SDK, exported over OTLP/HTTP.

Names and attributes follow the semantic conventions for messaging (Kafka) and for generative AI,
https://opentelemetry.io/docs/specs/semconv/. Exceptions are never recorded: their messages may
quote a prompt.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from jiraiya_events.adapters.telemetry.traced_model import TracedModel
from jiraiya_events.generation.ports import ModelPort

_W3C: Final = TraceContextTextMapPropagator()
_SERVICE: Final = "jiraiya"


class OtelRecord:
    """The open span of one record."""

    def __init__(self, span: Span) -> None:
        self._span = span
        context = span.get_span_context()
        self.traceparent = (
            f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
        )
        self.tracestate = context.trace_state.to_header() or None

    def set_error(self, code: str) -> None:
        """Mark the span as failed with `code`."""
        self._span.set_attribute("error.type", code)
        self._span.set_status(Status(StatusCode.ERROR))


class OtelTracer:
    """Opens spans, and sends them off in batches from a thread of the SDK."""

    def __init__(self, *, version: str, group: str, processor: SpanProcessor | None = None) -> None:
        self._provider = TracerProvider(resource=_resource(version), shutdown_on_exit=False)
        self._provider.add_span_processor(processor or BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("jiraiya_events", version)
        self._group = group

    @contextmanager
    def record_span(
        self,
        *,
        topic: str,
        partition: int,
        offset: int,
        traceparent: str | None,
        tracestate: str | None,
    ) -> Iterator[OtelRecord]:
        """Open the span `process <topic>` below the span that sent the record."""
        carrier = {"traceparent": traceparent or "", "tracestate": tracestate or ""}
        with self._tracer.start_as_current_span(
            f"process {topic}",
            context=_W3C.extract(carrier),
            kind=SpanKind.CONSUMER,
            attributes={
                "messaging.system": "kafka",
                "messaging.operation.type": "process",
                "messaging.operation.name": "process",
                "messaging.destination.name": topic,
                "messaging.destination.partition.id": str(partition),
                "messaging.kafka.offset": offset,
                "messaging.consumer.group.name": self._group,
            },
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            record = OtelRecord(span)
            try:
                yield record
            except Exception as error:
                record.set_error(type(error).__name__)
                raise

    def traced(self, model: ModelPort) -> ModelPort:
        """Return `model` with a span around every call."""
        return TracedModel(model, self._tracer)

    async def aclose(self) -> None:
        """Send what is left; blocks a thread, not the loop."""
        await asyncio.to_thread(self._provider.shutdown)


def _resource(version: str) -> Resource:
    """Return what the environment says of us, with our own name where it says nothing."""
    found = Resource.create({"service.version": version})
    name = str(found.attributes.get("service.name", ""))
    if name.startswith("unknown_service"):
        return found.merge(Resource({"service.name": _SERVICE}))
    return found
