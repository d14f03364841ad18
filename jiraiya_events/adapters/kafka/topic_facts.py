"""What a topic is: its identity, how many partitions it has, and what we may do with it.

Metadata version 10 (KIP-516) tells a topic's id, which a topic that was deleted and created again
under the same name does not share. aiokafka does not know that version; where the cluster does
not either, there are no ids.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from aiokafka import errors
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Int64,
    Schema,
    TaggedFields,
)

from jiraiya_events.adapters.kafka.authorization import topic_rights

_TEXT: Final = CompactString("utf-8")
_NO_TAGS: Final[dict[int, bytes]] = {}

TopicId = tuple[int, int]
"""A UUID as two 64-bit numbers."""


@dataclass(frozen=True, slots=True)
class TopicFacts:
    """A topic that is there; `rights` are bits of `AclOperation`, 0 for a hidden topic."""

    rights: int
    id: TopicId | None = None
    partitions: int | None = None


class MetadataResponseV10(Response):  # type: ignore[misc]  # aiokafka is untyped
    """Topics with their ids and our rights on them."""

    API_KEY = 3
    API_VERSION = 10
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32),
                ("host", _TEXT),
                ("port", Int32),
                ("rack", _TEXT),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_id", _TEXT),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("topic", _TEXT),
                ("id_high", Int64),
                ("id_low", Int64),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_authorized_operations", Int32),
        ("tags", TaggedFields),
    )


class MetadataRequestV10(RequestStruct):  # type: ignore[misc]  # likewise
    """Ask for topics, their ids and our rights on them."""

    FLEXIBLE_VERSION = True
    API_KEY = 3
    API_VERSION = 10
    RESPONSE_TYPE = MetadataResponseV10
    SCHEMA = Schema(
        (
            "topics",
            CompactArray(
                ("id_high", Int64), ("id_low", Int64), ("topic", _TEXT), ("tags", TaggedFields)
            ),
        ),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class _Facts(Request[MetadataRequestV10]):  # type: ignore[misc]  # likewise
    API_KEY: ClassVar[int] = 3

    def __init__(self, topics: Sequence[str]) -> None:
        self._topics = topics

    def build(self, request_struct_class: type[MetadataRequestV10]) -> MetadataRequestV10:
        return request_struct_class(
            topics=[(0, 0, name, _NO_TAGS) for name in self._topics],
            allow_auto_topic_creation=False,
            include_cluster_authorized_operations=False,
            include_topic_authorized_operations=True,
            tags=_NO_TAGS,
        )


async def topic_facts(client: AIOKafkaClient, topics: Sequence[str]) -> dict[str, TopicFacts]:
    """Return what is known of each topic by name; a missing one is missing here."""
    try:
        answer = await client.send(client.get_random_node(), _Facts(topics))
    except NotImplementedError:  # aiokafka's word for a version the cluster does not speak
        rights = await topic_rights(client, topics)
        return {name: TopicFacts(bits) for name, bits in rights.items()}
    hidden = errors.TopicAuthorizationFailedError.errno
    found: dict[str, TopicFacts] = {}
    for topic in answer.to_object()["topics"]:
        if topic["error_code"] == 0:
            identity = (topic["id_high"], topic["id_low"])
            count = len(topic["partitions"])
            found[topic["topic"]] = TopicFacts(topic["authorized_operations"], identity, count)
        elif topic["error_code"] == hidden:
            found[topic["topic"]] = TopicFacts(0)
    return found
