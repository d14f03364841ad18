"""What the contract says a request's outputs must carry, read with code of the examiner's own."""

import json
import re
import uuid
from dataclasses import dataclass
from typing import Any, Final

from tests.blackbox.messages import Seen

NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_URL, "urn:jiraiya")
LOOKED_INTO: Final = 1024 * 1024
_CREDENTIAL: Final = re.compile(r"auth|cookie|token|secret|signature|password|api-?key|hmac")
_NOT_COPIED: Final = ("x-dlq-", "x-replay-", "x-request-partition")
_TRACE: Final = re.compile(r"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(frozen=True, slots=True)
class Expected:
    """One request as its outputs must name it."""

    source: str
    id: str
    attempt: int
    correlation_id: str
    trace_id: str | None
    passed_on: dict[str, str]


def expected_of(request: Seen) -> Expected:
    """Read a request liberally; never raises."""
    document = _json_object(request.value)
    headers = {name.lower(): _text(value) for name, value in request.headers}
    structured = (headers.get("content-type") or "").startswith("application/cloudevents+json")
    attributes = document if structured else {}
    body = document.get("data", {}) if structured else document
    inner = body if isinstance(body, dict) else {}

    def attribute(name: str) -> str | None:
        value = attributes.get(name)
        return value if isinstance(value, str) and value else headers.get(f"ce_{name}")

    position = f"{request.topic}:{request.partition}:{request.offset}"
    replays = int(headers.get("x-replay-count") or 0)
    replayed = headers.get("x-replay-id") if replays else None
    own = attribute("id") or replayed or _usable(inner.get("request_id")) or position
    candidates = (
        attribute("correlationid"),
        headers.get("correlation_id"),
        headers.get("x-correlation-id"),
        _usable(inner.get("correlation_id")),
        own,
    )
    trace = _TRACE.fullmatch(headers.get("traceparent") or attribute("traceparent") or "")
    return Expected(
        source=attribute("source") or "/unknown",
        id=own,
        attempt=1 + replays,
        correlation_id=next(text for text in candidates if text),
        trace_id=trace[1] if trace else None,
        passed_on=_passed_on(headers),
    )


def expected_event_id(expected: Expected, kind: str, *more: str) -> str:
    """Return the `ce_id` of an output, computed from the contract's words."""
    parts = [expected.source, expected.id, expected.attempt, kind, *more]
    return str(uuid.uuid5(NAMESPACE, json.dumps(parts, separators=(",", ":"), ensure_ascii=False)))


def is_credential(name: str) -> bool:
    """Tell whether a header must never be seen again."""
    return _CREDENTIAL.search(name.lower()) is not None


def _passed_on(headers: dict[str, str | None]) -> dict[str, str]:
    kept: dict[str, str] = {}
    for name, text in headers.items():
        fits = text is not None and 0 < len(text.encode()) <= 1024 and len(kept) < 16
        ours = name.startswith(_NOT_COPIED) or is_credential(name)
        if name.startswith("x-") and fits and not ours and text is not None:
            kept[name] = text
    return kept


def _json_object(value: bytes | None) -> dict[str, Any]:
    if value is None or len(value) > LOOKED_INTO:
        return {}
    try:
        document = json.loads(value.decode("utf-8-sig"), parse_constant=_refuse)
        json.dumps(document, ensure_ascii=False).encode()  # lone surrogates
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _text(value: bytes | None) -> str | None:
    try:
        return value.decode().removeprefix("\ufeff") if value else None
    except UnicodeDecodeError:
        return None


def _usable(value: object) -> str | None:
    usable = isinstance(value, str) and 0 < len(value) <= 128 and value.isprintable()
    return value if usable and isinstance(value, str) else None
