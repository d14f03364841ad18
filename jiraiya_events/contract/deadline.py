"""Until when a request may take."""

from jiraiya_events.contract.envelope import Envelope
from jiraiya_events.domain.request import StoryRequested


def deadline_of(envelope: Envelope, request: StoryRequested | None, default_s: float) -> float:
    """Return the deadline in seconds since the Unix epoch.

    `ce_expirytime`, else `timeout_ms` from the record's timestamp, else `default_s` from it.
    """
    if envelope.expiry is not None:
        return envelope.expiry
    start = envelope.timestamp_ms / 1000
    if request is not None and request.timeout_ms is not None:
        return start + request.timeout_ms / 1000
    return start + default_s
