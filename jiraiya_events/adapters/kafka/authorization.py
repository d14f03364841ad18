"""What we may do, as the cluster tells it: no record is read, written or joined for it.

Metadata version 8 and DescribeGroups version 3 (KIP-430) answer with the operations the asking
user is allowed, as a bit for each; aiokafka knows neither version. Write access to a
transactional id has no such question: InitProducerId under an id of its own tells.
"""

import asyncio
from collections.abc import Sequence
from typing import ClassVar, Final

from aiokafka import errors
from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.transaction import InitProducerIdRequest
from aiokafka.protocol.types import Array, Boolean, Bytes, Int16, Int32, Schema, String

READ: Final = 3
WRITE: Final = 4
"""Bits of `AclOperation`, by Kafka's own numbers."""

UNKNOWN: Final = -(2**31)
"""What a cluster answers that does not tell."""

_TEXT: Final = String("utf-8")
_TRANSACTION_MS: Final = 10_000
_COORDINATOR_TIMEOUT_S: Final = 15.0
_AGAIN_S: Final = 0.1


class MetadataResponseV8(Response):  # type: ignore[misc]  # aiokafka is untyped
    """Topics with our rights on them."""

    API_KEY = 3
    API_VERSION = 8
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            Array(("node_id", Int32), ("host", _TEXT), ("port", Int32), ("rack", _TEXT)),
        ),
        ("cluster_id", _TEXT),
        ("controller_id", Int32),
        (
            "topics",
            Array(
                ("error_code", Int16),
                ("topic", _TEXT),
                ("is_internal", Boolean),
                (
                    "partitions",
                    Array(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", Array(Int32)),
                        ("isr", Array(Int32)),
                        ("offline_replicas", Array(Int32)),
                    ),
                ),
                ("authorized_operations", Int32),
            ),
        ),
        ("cluster_authorized_operations", Int32),
    )


class MetadataRequestV8(RequestStruct):  # type: ignore[misc]  # likewise
    """Ask for topics and our rights on them."""

    API_KEY = 3
    API_VERSION = 8
    RESPONSE_TYPE = MetadataResponseV8
    SCHEMA = Schema(
        ("topics", Array(_TEXT)),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
    )


class DescribeGroupsResponseV3(Response):  # type: ignore[misc]  # likewise
    """Groups with our rights on them."""

    API_KEY = 15
    API_VERSION = 3
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "groups",
            Array(
                ("error_code", Int16),
                ("group", _TEXT),
                ("state", _TEXT),
                ("protocol_type", _TEXT),
                ("protocol", _TEXT),
                (
                    "members",
                    Array(
                        ("member_id", _TEXT),
                        ("client_id", _TEXT),
                        ("client_host", _TEXT),
                        ("member_metadata", Bytes),
                        ("member_assignment", Bytes),
                    ),
                ),
                ("authorized_operations", Int32),
            ),
        ),
    )


class DescribeGroupsRequestV3(RequestStruct):  # type: ignore[misc]  # likewise
    """Ask for groups and our rights on them."""

    API_KEY = 15
    API_VERSION = 3
    RESPONSE_TYPE = DescribeGroupsResponseV3
    SCHEMA = Schema(("groups", Array(_TEXT)), ("include_authorized_operations", Boolean))


class _TopicRights(Request[MetadataRequestV8]):  # type: ignore[misc]  # likewise
    API_KEY: ClassVar[int] = 3

    def __init__(self, topics: Sequence[str]) -> None:
        self._topics = list(topics)

    def build(self, request_struct_class: type[MetadataRequestV8]) -> MetadataRequestV8:
        return request_struct_class(
            topics=self._topics,
            allow_auto_topic_creation=False,
            include_cluster_authorized_operations=False,
            include_topic_authorized_operations=True,
        )


class _GroupRights(Request[DescribeGroupsRequestV3]):  # type: ignore[misc]  # likewise
    API_KEY: ClassVar[int] = 15

    def __init__(self, group: str) -> None:
        self._group = group

    def build(self, request_struct_class: type[DescribeGroupsRequestV3]) -> DescribeGroupsRequestV3:
        return request_struct_class(groups=[self._group], include_authorized_operations=True)


async def topic_rights(client: AIOKafkaClient, topics: Sequence[str]) -> dict[str, int]:
    """Return the bits of our rights by topic; 0 for a hidden topic, none for a missing one."""
    answer = await client.send(client.get_random_node(), _TopicRights(topics))
    hidden = errors.TopicAuthorizationFailedError.errno
    found: dict[str, int] = {}
    for topic in answer.to_object()["topics"]:
        if topic["error_code"] == 0:
            found[topic["topic"]] = topic["authorized_operations"]
        elif topic["error_code"] == hidden:
            found[topic["topic"]] = 0
    return found


async def group_rights(client: AIOKafkaClient, group: str) -> int:
    """Return the bits of our rights on the group; 0 when we may not even see it."""
    try:
        node = await _coordinator(client, CoordinationType.GROUP, group)
    except errors.GroupAuthorizationFailedError:
        return 0
    answer = await client.send(node, _GroupRights(group))
    (described,) = answer.to_object()["groups"]
    if described["error_code"] == errors.GroupAuthorizationFailedError.errno:
        return 0
    rights: int = described["authorized_operations"]
    return rights


async def may_open_transactions(client: AIOKafkaClient, transactional_id: str) -> bool:
    """Tell whether we may write under `transactional_id`; it fences whoever uses it."""
    try:
        node = await _coordinator(client, CoordinationType.TRANSACTION, transactional_id)
    except errors.TransactionalIdAuthorizationFailed:
        return False
    answer = await client.send(node, InitProducerIdRequest(transactional_id, _TRANSACTION_MS))
    denied = {
        errors.TransactionalIdAuthorizationFailed.errno,
        errors.ClusterAuthorizationFailedError.errno,
    }
    return answer.error_code not in denied


async def _coordinator(client: AIOKafkaClient, kind: CoordinationType, name: str) -> int:
    """Find the coordinator; a young cluster makes the topics it needs for that when asked."""
    async with asyncio.timeout(_COORDINATOR_TIMEOUT_S):
        while True:
            try:
                node: int = await client.coordinator_lookup(kind, name)
            except errors.CoordinatorNotAvailableError:
                await asyncio.sleep(_AGAIN_S)
            else:
                return node


def allows(rights: int, operation: int) -> bool:
    """Tell whether `rights` have the bit of `operation`; yes where the cluster does not tell."""
    return rights == UNKNOWN or bool(rights >> operation & 1)
