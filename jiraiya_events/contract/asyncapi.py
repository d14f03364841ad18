"""The AsyncAPI 3.0.0 document of the service, built from the models and the topics."""

from pathlib import Path
from typing import Any, Final

import yaml

from jiraiya_events.contract.asyncapi_messages import (
    DEAD_LETTER,
    INCOMING,
    KAFKA_BINDING,
    NAMES,
    SUMMARIES,
    message,
    payload_schemas,
)
from jiraiya_events.contract.event_types import EventType
from jiraiya_events.contract.topics import Topics

Document = dict[str, Any]

CONTRACT_VERSION: Final = "1.0.0"
"""The version of the events, not of the package: majors as in `ce_type`, minors for additions."""


def build_asyncapi(
    topics: Topics,
    *,
    title: str = "Jiraiya story events",
    version: str = CONTRACT_VERSION,
    server: str = "localhost:9092",
    group_id: str = "jiraiya",
) -> Document:
    """Return the document: what the service receives and what it sends, and on which topics."""
    addresses = _addresses(topics)
    return {
        "asyncapi": "3.0.0",
        "info": _info(title, version),
        "defaultContentType": "application/json",
        "servers": {"kafka": _server(server)},
        "channels": {name: _channel(name, topic) for name, topic in addresses.items()},
        "operations": dict(_operation(name, group_id) for name in addresses),
        "components": {
            "messages": {name: message(name) for name in addresses},
            "schemas": payload_schemas(),
        },
    }


def asyncapi_text(document: Document) -> str:
    """Return the document as YAML: always the same text, in block style, without anchors."""
    return yaml.dump(
        document,
        Dumper=_PlainDumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=False,
        width=100,
    )


def write_asyncapi(path: Path, document: Document | None = None) -> None:
    """Write the document, by default that of the default topics; raises OSError."""
    path.write_text(asyncapi_text(document or build_asyncapi(Topics())), encoding="utf-8")


def check_asyncapi(path: Path, document: Document | None = None) -> list[str]:
    """Return a line saying how the file drifted from the document; [] if it did not."""
    if not path.is_file():
        return [f"{path}: missing; write it with `jiraiya asyncapi`"]
    if path.read_text(encoding="utf-8") == asyncapi_text(document or build_asyncapi(Topics())):
        return []
    return [f"{path}: differs from the models; write it with `jiraiya asyncapi`"]


class _PlainDumper(yaml.SafeDumper):
    """Indents lists, and repeats what occurs twice instead of pointing at it."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - PyYAML's signature
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - PyYAML's signature
        return True


def _addresses(topics: Topics) -> dict[str, str]:
    return {
        "storyRequested": topics.requested,
        "storyGenerated": topics.generated,
        "storyFailed": topics.failed,
        "storyCancelled": topics.cancelled,
        "storyProgress": topics.progress,
        DEAD_LETTER: topics.dlq,
    }


def _info(title: str, version: str) -> Document:
    return {
        "title": title,
        "version": version,
        "description": (
            "Requests come in; for each exactly one `story.generated` or `story.failed` goes out, "
            "visible to consumers with `isolation.level=read_committed`. Order per key is that of "
            "the requests. CloudEvents 1.0, Kafka binding: binary mode out; binary, structured or "
            "plain JSON in."
        ),
        "license": {
            "name": "Apache-2.0",
            "url": "https://www.apache.org/licenses/LICENSE-2.0",
        },
    }


def _server(host: str) -> Document:
    return {
        "host": host,
        "protocol": "kafka",
        "description": "A placeholder: brokers and credentials are settings of each deployment.",
    }


def _channel(name: str, topic: str) -> Document:
    return {
        "address": topic,
        "description": SUMMARIES[name],
        "servers": [{"$ref": "#/servers/kafka"}],
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        "bindings": {"kafka": {"topic": topic, "bindingVersion": KAFKA_BINDING}},
    }


def _operation(name: str, group_id: str) -> tuple[str, Document]:
    incoming = name in {NAMES[kind] for kind in INCOMING}
    action = "receive" if incoming else "send"
    operation: Document = {
        "action": action,
        "summary": SUMMARIES[name],
        "channel": {"$ref": f"#/channels/{name}"},
        "messages": [{"$ref": f"#/channels/{name}/messages/{name}"}],
    }
    if name == NAMES[EventType.REQUESTED]:
        group = {"type": "string", "const": group_id}
        operation["bindings"] = {"kafka": {"groupId": group, "bindingVersion": KAFKA_BINDING}}
    return f"{action}{name[0].upper()}{name[1:]}", operation
