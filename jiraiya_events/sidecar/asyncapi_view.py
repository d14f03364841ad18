"""An AsyncAPI 3 document as a reader meets it: operations, their channels and messages."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jiraiya_events.sidecar.schema_rows import SchemaRow, resolve, schema_rows


@dataclass(frozen=True, slots=True)
class MessageView:
    """One message with its tables and examples."""

    name: str
    title: str
    summary: str
    content_type: str
    key: str
    headers_note: str
    headers: list[SchemaRow]
    payload: list[SchemaRow]
    payload_note: str
    examples: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class OperationView:
    """What the application does with a channel: receive or send."""

    anchor: str
    action: str
    address: str
    summary: str
    description: str
    messages: list[MessageView]


def operations(document: Mapping[str, Any]) -> list[OperationView]:
    """Return the operations in their own order; channels nobody operates on come last."""
    views, used = [], set()
    for name, raw in _items(document.get("operations")):
        operation = resolve(document, raw)
        channel = resolve(document, operation.get("channel"))
        used.add(channel.get("address"))
        messages = operation.get("messages") or list(_values(channel.get("messages")))
        views.append(
            OperationView(
                anchor=name,
                action=str(operation.get("action", "")),
                address=str(channel.get("address") or name),
                summary=str(operation.get("summary") or channel.get("summary") or ""),
                description=str(operation.get("description") or channel.get("description") or ""),
                messages=[_message(document, message) for message in messages],
            )
        )
    return views + list(_idle_channels(document, used))


def _idle_channels(document: Mapping[str, Any], used: set[object]) -> Iterator[OperationView]:
    for name, raw in _items(document.get("channels")):
        channel = resolve(document, raw)
        if channel.get("address") not in used:
            yield OperationView(
                anchor=name,
                action="channel",
                address=str(channel.get("address") or name),
                summary=str(channel.get("summary") or ""),
                description=str(channel.get("description") or ""),
                messages=[_message(document, m) for m in _values(channel.get("messages"))],
            )


def _message(document: Mapping[str, Any], raw: object) -> MessageView:
    message = resolve(document, raw)
    headers = resolve(document, message.get("headers"))
    payload = resolve(document, message.get("payload"))
    kafka = resolve(document, resolve(document, message.get("bindings")).get("kafka"))
    return MessageView(
        name=str(message.get("name", "")),
        title=str(message.get("title") or message.get("name") or "Message"),
        summary=str(message.get("summary") or message.get("description") or ""),
        content_type=str(message.get("contentType") or document.get("defaultContentType") or ""),
        key=str(resolve(document, kafka.get("key")).get("description", "")),
        headers_note=str(headers.get("description", "")),
        headers=schema_rows(document, headers),
        payload=schema_rows(document, payload),
        payload_note=str(payload.get("description", "")),
        examples=[dict(example) for example in message.get("examples") or ()],
    )


def _items(node: object) -> Iterator[tuple[str, object]]:
    if isinstance(node, Mapping):
        yield from ((str(name), value) for name, value in node.items())


def _values(node: object) -> Iterator[object]:
    return (value for _, value in _items(node))
