"""Ids and fingerprints that come out the same wherever and whenever they are computed."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5

from jiraiya_events.contract.event_types import EventType
from jiraiya_events.domain.identity import RequestIdentity

NAMESPACE: Final[UUID] = uuid5(NAMESPACE_URL, "urn:jiraiya")

_NOT_THE_WISH: Final = frozenset({"timeout_ms", "stream", "metadata", "correlation_id"})
_encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_encode_sorted: Final = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), sort_keys=True
).encode


def event_id(identity: RequestIdentity, kind: EventType, suffix: str | int | None = None) -> str:
    """Return the `ce_id` of an output.

    The UUIDv5 over JSON `[source, id, attempt, type]`, without blanks, in UTF-8, nothing escaped
    that JSON does not ask for. `suffix` is a further element: the body's SHA-256 in hex for a
    `duplicate_conflict`, the `sequence` of a progress event.
    """
    parts: list[str | int] = [identity.source, identity.id, identity.attempt, kind.value]
    if suffix is not None:
        parts.append(suffix)
    return str(uuid5(NAMESPACE, _encode(parts)))


def fingerprint(payload: Mapping[str, object]) -> str:
    """Return the SHA-256, in hex, of what a request wishes; decides `duplicate_conflict`.

    Canonical JSON in the manner of RFC 8785 (names sorted, by code point; no blanks; UTF-8)
    without `timeout_ms`, `stream`, `metadata` and `correlation_id`, which change no story.
    """
    wish = {name: value for name, value in payload.items() if name not in _NOT_THE_WISH}
    return sha256(_encode_sorted(wish).encode()).hexdigest()
