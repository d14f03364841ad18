"""Requests in the forms the contract allows."""

import json
from dataclasses import dataclass, field
from typing import Any

WireHeaders = list[tuple[str, bytes | None]]


@dataclass(frozen=True, slots=True)
class Request:
    """What is produced to the requests' topic."""

    key: bytes | None
    value: bytes | None
    headers: WireHeaders = field(default_factory=list)
    partition: int = -1
    timestamp_ms: int = 0


def payload(request_id: str | None, /, **fields: Any) -> dict[str, Any]:
    """Return a payload whose keywords carry the endpoint's marker, `k-<request id>`."""
    marker = fields.pop("marker", f"k-{request_id}")
    body = {"user_id": "user-1", "keywords": ["dragon", marker], **fields}
    return body if request_id is None else {"request_id": request_id, **body}


def plain(
    request_id: str | None,
    /,
    key: str | None = "user-1",
    *,
    headers: WireHeaders | None = None,
    partition: int = -1,
    timestamp_ms: int = 0,
    **fields: Any,
) -> Request:
    """Return plain JSON, without CloudEvents headers."""
    value = json.dumps(payload(request_id, **fields)).encode()
    key_bytes = None if key is None else key.encode()
    return Request(key_bytes, value, headers or [], partition, timestamp_ms)


def binary(
    request_id: str,
    /,
    key: str | None = "user-1",
    *,
    source: str = "/kuybi/backend",
    headers: WireHeaders | None = None,
    **fields: Any,
) -> Request:
    """Return a binary CloudEvent whose id stands in the headers only."""
    attributes: WireHeaders = [
        ("content-type", b"application/json"),
        ("ce_specversion", b"1.0"),
        ("ce_id", request_id.encode()),
        ("ce_source", source.encode()),
        ("ce_type", b"com.kuybi.story.requested.v1"),
    ]
    body = payload(None, **{"marker": f"k-{request_id}", **fields})
    key_bytes = None if key is None else key.encode()
    return Request(key_bytes, json.dumps(body).encode(), [*attributes, *(headers or [])])


def withdrawal(
    request_id: str,
    /,
    key: str | None = "user-1",
    *,
    source: str | None = None,
    reason: str | None = None,
    partition: int = -1,
) -> Request:
    """Return a cancellation: plain JSON, or a binary CloudEvent where the request has a source."""
    headers: WireHeaders = (
        []
        if source is None
        else [
            ("content-type", b"application/json"),
            ("ce_specversion", b"1.0"),
            ("ce_id", f"cancel-{request_id}".encode()),
            ("ce_source", source.encode()),
            ("ce_type", b"com.kuybi.story.cancelled.v1"),
        ]
    )
    body = {"request_id": request_id} | ({} if reason is None else {"reason": reason})
    key_bytes = None if key is None else key.encode()
    return Request(key_bytes, json.dumps(body).encode(), headers, partition)


def structured(
    request_id: str,
    /,
    key: str | None = "user-1",
    *,
    source: str = "/kuybi/backend",
    attributes: dict[str, str] | None = None,
    **fields: Any,
) -> Request:
    """Return a structured CloudEvent: one JSON document with everything inside."""
    event = {
        "specversion": "1.0",
        "id": request_id,
        "source": source,
        "type": "com.kuybi.story.requested.v1",
        "datacontenttype": "application/json",
        **(attributes or {}),
        "data": payload(None, **{"marker": f"k-{request_id}", **fields}),
    }
    headers: WireHeaders = [("content-type", b"application/cloudevents+json; charset=utf-8")]
    return Request(None if key is None else key.encode(), json.dumps(event).encode(), headers)
