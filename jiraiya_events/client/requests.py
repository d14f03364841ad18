"""From a wish to the record that carries it: binary CloudEvents, keyed by the user."""

import time
import uuid
from dataclasses import dataclass

from jiraiya_events.client.traceparent import new_traceparent
from jiraiya_events.contract.event_types import SPEC_VERSION, EventType
from jiraiya_events.contract.rfc3339 import format_rfc3339
from jiraiya_events.domain.request import StoryRequested
from jiraiya_events.domain.signals import StoryCancelled

WireHeaders = list[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Sent:
    """Where a request went, and what it is called."""

    request_id: str
    partition: int
    offset: int


def new_request_id() -> str:
    """Return an id nobody has used."""
    return str(uuid.uuid4())


def request_body(request: StoryRequested) -> bytes:
    """Return the payload without what is left at its default."""
    return request.model_dump_json(exclude_defaults=True, exclude_none=True).encode()


def cancel_body(request_id: str, reason: str | None) -> bytes:
    """Return the payload of a cancellation. Raises ValueError for what is too long."""
    cancel = StoryCancelled(request_id=request_id, reason=reason)
    return cancel.model_dump_json(exclude_none=True).encode()


def event_headers(
    event_id: str,
    source: str,
    kind: EventType = EventType.REQUESTED,
    *,
    sampled: bool | None,
) -> WireHeaders:
    """Return the headers of an event that is sent now; no `traceparent` when `sampled` is None."""
    texts = {
        "content-type": "application/json",
        "ce_specversion": SPEC_VERSION,
        "ce_id": event_id,
        "ce_source": source,
        "ce_type": kind.value,
        "ce_time": format_rfc3339(time.time()),
    }
    if sampled is not None:
        texts["traceparent"] = new_traceparent(sampled=sampled)
    return [(name, text.encode()) for name, text in texts.items()]
