"""What handlers need of tracing: a span around a record, and a trace for its outputs."""

from contextlib import AbstractContextManager
from typing import Protocol


class RecordSpan(Protocol):
    """The span of one record; its headers go on the outputs whether or not it is exported."""

    @property
    def traceparent(self) -> str:
        """A valid W3C `traceparent`, always."""
        ...

    @property
    def tracestate(self) -> str | None:
        """The vendors' part, as it came in."""
        ...

    def set_error(self, code: str) -> None:
        """Mark the span as failed with an error code; never with a message."""
        ...


class Tracer(Protocol):
    """Opens spans that continue the trace a record came with."""

    def record_span(
        self,
        *,
        topic: str,
        partition: int,
        offset: int,
        traceparent: str | None,
        tracestate: str | None,
    ) -> AbstractContextManager[RecordSpan]:
        """Return the span of one turn of a record; it is current while entered."""
        ...
