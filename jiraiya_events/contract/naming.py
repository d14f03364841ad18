"""Who a record says it is: source, id and attempt, and what to call it when it does not say.

The id is the first of: `ce_id`; on a replay `x-replay-id`; the payload's `request_id`; the
position `topic:partition:offset`. An id nobody could use (over 128 characters, or with control
characters) is a fault of the event; its outcome then goes by the position.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from jiraiya_events.contract.attributes import Attributes
from jiraiya_events.contract.event_types import EventType
from jiraiya_events.contract.record import RecordLike, position_of
from jiraiya_events.domain.identity import RequestIdentity

UNKNOWN_SOURCE: Final = "/unknown"

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_REPLAYS: Final = re.compile(r"[0-9]{1,6}")
_ID_CHARACTERS: Final = 128
_SOURCE_CHARACTERS: Final = 1024
_POSITION_CHARACTERS: Final = 300  # a topic's name has up to 249

_MISMATCH: Final = "ce_id, request_id: differ; leave one out or make them equal"
_ID_RULE: Final = "1 to 128 characters, none of them a control character"


@dataclass(frozen=True, slots=True)
class Naming:
    """The identity, the `request_id` to publish (None when unreadable), and what was wrong."""

    identity: RequestIdentity
    request_id: str | None
    anonymous: bool
    fault: str | None


def readable(text: str, limit: int) -> bool:
    """Tell whether `text` has at most `limit` characters and no control characters."""
    return len(text) <= limit and _CONTROL.search(text) is None


def name_record(
    record: RecordLike,
    attributes: Attributes,
    payload: Mapping[str, object] | None,
    expected: EventType,
) -> Naming:
    """Return who the record is; `payload` is None when it could not be read."""
    attempt = 1 + replays_of(attributes)
    source, source_fault = _source(attributes)
    own, id_fault = _own_id(attributes, payload, expected)
    stand_in = _replay_id(attributes) if attempt > 1 else None
    if own is not None and (stand_in is None or attributes.get("id") is not None):
        identity = RequestIdentity(source, own, attempt)
        return Naming(identity, own, anonymous=False, fault=id_fault or source_fault)
    identity = RequestIdentity(source, stand_in or position_of(record), attempt)
    unreadable = payload is None or id_fault is not None
    shown = None if unreadable else identity.id
    return Naming(identity, shown, anonymous=True, fault=id_fault or source_fault)


def replays_of(attributes: Attributes) -> int:
    """Return `x-replay-count`; what is no number of up to six digits counts as 0."""
    text = attributes.headers.get("x-replay-count")
    return int(text) if text is not None and _REPLAYS.fullmatch(text) else 0


def _source(attributes: Attributes) -> tuple[str, str | None]:
    source = attributes.get("source")
    if source is None:
        return UNKNOWN_SOURCE, "ce_source: must be a string" if attributes.unreadable(
            "source"
        ) else None
    if readable(source, _SOURCE_CHARACTERS):
        return source, None
    return UNKNOWN_SOURCE, "ce_source: at most 1024 characters, none of them a control character"


def _own_id(
    attributes: Attributes, payload: Mapping[str, object] | None, expected: EventType
) -> tuple[str | None, str | None]:
    """Return the id the event itself carries, if it can be used, and the fault if not."""
    given = attributes.get("id")
    inner = payload.get("request_id") if payload is not None else None
    if attributes.unreadable("id"):
        return None, "ce_id: must be a string"
    if given is not None and not readable(given, _ID_CHARACTERS):
        return None, f"ce_id: {_ID_RULE}"
    if given is not None:
        differs = expected is EventType.REQUESTED and isinstance(inner, str) and inner != given
        return given, _MISMATCH if differs else None
    if inner is None:
        return None, None
    if isinstance(inner, str) and inner and readable(inner, _ID_CHARACTERS):
        return inner, None
    return None, f"request_id: {_ID_RULE}"


def _replay_id(attributes: Attributes) -> str | None:
    text = attributes.headers.get("x-replay-id")
    return text if text is not None and readable(text, _POSITION_CHARACTERS) else None
