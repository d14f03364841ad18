"""W3C Trace Context as it arrives: used when well formed, else as if it were not there."""

import re
from dataclasses import dataclass
from typing import Final

from jiraiya_events.contract.attributes import Attributes

# https://www.w3.org/TR/trace-context/#traceparent-header: `ff` is no version, zeros are no id;
# versions after 00 may append fields.
_TRACEPARENT: Final = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-[!-~]{1,256})?"
)
_TRACESTATE: Final = re.compile(r"[ -~\t]{1,512}")


@dataclass(frozen=True, slots=True)
class TraceContext:
    """Where in which trace a record was sent."""

    traceparent: str | None = None
    tracestate: str | None = None


NO_TRACE: Final = TraceContext()


def read_trace(attributes: Attributes) -> TraceContext:
    """Read `traceparent`, else `ce_traceparent`; `tracestate` only beside the one that is used."""
    headers = attributes.headers
    parent = headers.get("traceparent")
    if parent is not None and _TRACEPARENT.fullmatch(parent):
        return TraceContext(parent, _state(headers.get("tracestate")))
    parent = attributes.get("traceparent")
    if parent is not None and _TRACEPARENT.fullmatch(parent):
        return TraceContext(parent, _state(attributes.get("tracestate")))
    return NO_TRACE


def _state(text: str | None) -> str | None:
    return text if text is not None and _TRACESTATE.fullmatch(text) else None
