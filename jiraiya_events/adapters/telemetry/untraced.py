"""Tracing that is switched off: no span is recorded, and yet no trace is broken."""

from typing import Self

from jiraiya_events.adapters.telemetry.traceparent import continue_trace, inject
from jiraiya_events.generation.ports import ModelPort


class UntracedRecord:
    """Passes the incoming trace on with a span id of our own."""

    __slots__ = ("traceparent", "tracestate")

    def __init__(self, traceparent: str | None, tracestate: str | None) -> None:
        self.traceparent, self.tracestate = inject(continue_trace(traceparent, tracestate))

    def __enter__(self) -> Self:
        """Return the trace of the record; there is no span to open."""
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing: there is no span to end."""

    def set_error(self, code: str) -> None:
        """Do nothing: there is no span to mark."""


class Untraced:
    """A tracer that records nothing; costs a few microseconds a record."""

    def record_span(
        self,
        *,
        topic: str,  # noqa: ARG002 - the port's, as the two below
        partition: int,  # noqa: ARG002
        offset: int,  # noqa: ARG002
        traceparent: str | None,
        tracestate: str | None,
    ) -> UntracedRecord:
        """Return the trace of one record."""
        return UntracedRecord(traceparent, tracestate)

    def traced(self, model: ModelPort) -> ModelPort:
        """Return `model` as it is."""
        return model

    async def aclose(self) -> None:
        """Do nothing: no span waits to be sent."""
