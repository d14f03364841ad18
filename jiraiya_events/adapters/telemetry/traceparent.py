"""W3C Trace Context by hand, for when no tracing is configured.

Source: https://www.w3.org/TR/trace-context/
"""

import random
import re
from dataclasses import dataclass
from typing import Final

# `ff` is no version and zeros are no id; versions after 00 may append fields.
_TRACEPARENT: Final = re.compile(
    r"(?!ff)[0-9a-f]{2}-((?!0{32})[0-9a-f]{32})-((?!0{16})[0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?"
)
_SAMPLED: Final = 1
_dice: Final = random.Random()  # noqa: S311 - ids of spans, as OpenTelemetry's SDK makes them


@dataclass(frozen=True, slots=True)
class TraceContext:
    """A place in a trace: 128 bits of trace, 64 bits of span (hexadecimal), sampled or not."""

    trace_id: str
    span_id: str
    sampled: bool
    tracestate: str | None = None

    @property
    def traceparent(self) -> str:
        """The header for whoever comes next."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"


def continue_trace(traceparent: str | None, tracestate: str | None = None) -> TraceContext:
    """Return a new span in the incoming trace, or in a new unsampled one without a valid parent."""
    parent = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
    if parent is None:
        return TraceContext(_identifier(128), _identifier(64), sampled=False)
    sampled = bool(int(parent[3], 16) & _SAMPLED)
    return TraceContext(parent[1], _identifier(64), sampled, tracestate)


def inject(context: TraceContext) -> tuple[str, str | None]:
    """Return the `traceparent` and `tracestate` headers of `context`."""
    return context.traceparent, context.tracestate


def _identifier(bits: int) -> str:
    return f"{_dice.getrandbits(bits) or 1:0{bits // 4}x}"
