"""Until when a request may take."""

from typing import Final

from jiraiya_events.contract.envelope import Envelope
from jiraiya_events.domain.request import StoryRequested

LONGEST_S: Final = 600.0
"""No request waits longer, whatever asks for it; `timeout_ms` has the same limit."""


def deadline_of(
    envelope: Envelope, request: StoryRequested | None, default_s: float, now: float
) -> float:
    """Return the deadline in seconds since the Unix epoch.

    `ce_expirytime`, else `timeout_ms` from the record's timestamp, else `default_s` from it;
    never more than `LONGEST_S` from it. A record without a timestamp, or with one of the future,
    counts from `now`, when it is first looked at.
    """
    start = envelope.timestamp_ms / 1000
    if not 0 <= start <= now:
        start = now
    if envelope.expiry is not None:
        return min(envelope.expiry, start + LONGEST_S)
    if request is not None and request.timeout_ms is not None:
        return start + request.timeout_ms / 1000
    return start + default_s
