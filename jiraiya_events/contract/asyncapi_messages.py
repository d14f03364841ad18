"""The messages of the AsyncAPI document and the schemas they point at."""

from collections.abc import Mapping
from typing import Any, Final

from jiraiya_events.contract.event_types import EventType
from jiraiya_events.contract.examples import EXAMPLES
from jiraiya_events.contract.schemas import event_schema
from jiraiya_events.contract.wire_headers import (
    dead_letter_headers_schema,
    incoming_example,
    incoming_headers,
    outgoing_example,
    outgoing_headers,
)

KAFKA_BINDING: Final = "0.5.0"
INCOMING: Final = frozenset({EventType.REQUESTED, EventType.CANCELLED})
DEAD_LETTER: Final = "deadLetter"
NAMES: Final[Mapping[EventType, str]] = {
    EventType.REQUESTED: "storyRequested",
    EventType.GENERATED: "storyGenerated",
    EventType.FAILED: "storyFailed",
    EventType.CANCELLED: "storyCancelled",
    EventType.PROGRESS: "storyProgress",
}
SUMMARIES: Final[Mapping[str, str]] = {
    "storyRequested": "A user wishes for a story.",
    "storyGenerated": "The story; one of the two terminal events.",
    "storyFailed": "There is no story, and why; one of the two terminal events.",
    "storyCancelled": "A request is withdrawn; too late or unknown is harmless.",
    "storyProgress": "A piece of a story that is being written; best effort.",
    DEAD_LETTER: "A request that an operator has to look at, with its original bytes.",
}
_KEYS: Final[Mapping[str, str]] = {
    "storyRequested": "The ordering key, normally the user id; null promises no order.",
}
_OUTPUT_KEY: Final = "The request's key, byte for byte."
# AsyncAPI reads schemas in its own dialect, near draft-07, and knows no `$defs`.
_NOT_IN_ASYNCAPI: Final = frozenset({"$schema", "$id", "$defs"})


def message(name: str) -> dict[str, Any]:
    """Return the message of this name."""
    if name == DEAD_LETTER:
        return _dead_letter()
    kind = next(kind for kind, known in NAMES.items() if known == name)
    incoming = kind in INCOMING
    schema = event_schema(kind)
    headers = incoming_headers(kind) if incoming else outgoing_headers(kind)
    example = incoming_example(kind) if incoming else outgoing_example(kind)
    return {
        "name": kind.value,
        "title": schema["title"],
        "summary": SUMMARIES[name],
        "contentType": "application/json",
        "headers": headers,
        "correlationId": {"location": "$message.header#/ce_correlationid"},
        "payload": {"$ref": f"#/components/schemas/{schema['title']}"},
        "bindings": _key_binding(_KEYS.get(name, _OUTPUT_KEY)),
        "examples": [{"name": name, "headers": example, "payload": EXAMPLES[kind]}],
    }


def _dead_letter() -> dict[str, Any]:
    return {
        "name": DEAD_LETTER,
        "title": "DeadLetter",
        "summary": SUMMARIES[DEAD_LETTER],
        "contentType": "application/octet-stream",
        "headers": dead_letter_headers_schema(),
        "payload": {"description": "The original value, whatever its bytes; null when truncated."},
        "bindings": _key_binding(_OUTPUT_KEY),
    }


def _key_binding(description: str) -> dict[str, Any]:
    key = {"type": ["string", "null"], "description": description}
    return {"kafka": {"key": key, "bindingVersion": KAFKA_BINDING}}


def payload_schemas() -> dict[str, dict[str, Any]]:
    """Return every payload's schema and the parts of it, each once, by title."""
    schemas: dict[str, dict[str, Any]] = {}
    for kind in EventType:
        document = event_schema(kind)
        whole = {key: part for key, part in document.items() if key not in _NOT_IN_ASYNCAPI}
        schemas[document["title"]] = _pointing(whole)
        for name, part in document.get("$defs", {}).items():
            schemas[name] = _pointing(part)
    return dict(sorted(schemas.items()))


def _pointing(schema: dict[str, Any]) -> dict[str, Any]:
    return {key: _repointed(part) for key, part in schema.items()}


def _repointed(node: object) -> object:
    """Return the schema with its references aimed at the document's components."""
    if isinstance(node, dict):
        return {key: _repointed(part) for key, part in node.items()}
    if isinstance(node, list):
        return [_repointed(part) for part in node]
    if isinstance(node, str) and node.startswith("#/$defs/"):
        return node.replace("#/$defs/", "#/components/schemas/", 1)
    return node
