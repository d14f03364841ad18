"""Reading a group's committed offset without being told "nothing" by mistake.

aiokafka's own ways ignore the group-level error of OffsetFetch, so while a coordinator loads
they answer that nothing is committed, and a consumer would start from the beginning. This is
OffsetFetch version 7 (KIP-447) with `require_stable`: offsets of a transaction whose end is
still being written are an error to retry, not an old value.
"""

import asyncio
from typing import ClassVar

from aiokafka import errors
from aiokafka.client import AIOKafkaClient, ConnectionGroup, CoordinationType
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

from jiraiya_events.engine.errors import WriterFailed
from jiraiya_events.engine.records import Committed, Partition

UNSTABLE_OFFSET_COMMIT = 88
"""Not known to aiokafka: a pending transaction holds an offset of this partition."""

_UNANSWERED = -2
"""No code of Kafka's: nobody has said anything yet."""

_RETRIABLE = {
    UNSTABLE_OFFSET_COMMIT,
    errors.CoordinatorLoadInProgressError.errno,
    errors.CoordinatorNotAvailableError.errno,
    errors.NotCoordinatorError.errno,
}


class OffsetFetchResponseV7(Response):  # type: ignore[misc]  # aiokafka is untyped
    """Offsets of one group, version 7."""

    API_KEY = 9
    API_VERSION = 7
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "topics",
            CompactArray(
                ("name", CompactString("utf-8")),
                (
                    "partitions",
                    CompactArray(
                        ("partition_index", Int32),
                        ("committed_offset", Int64),
                        ("committed_leader_epoch", Int32),
                        ("metadata", CompactString("utf-8")),
                        ("error_code", Int16),
                        ("tags", TaggedFields),
                    ),
                ),
                ("tags", TaggedFields),
            ),
        ),
        ("error_code", Int16),
        ("tags", TaggedFields),
    )


class OffsetFetchRequestV7(RequestStruct):  # type: ignore[misc]  # aiokafka is untyped
    """Ask for the offsets of one group, version 7."""

    FLEXIBLE_VERSION = True
    API_KEY = 9
    API_VERSION = 7
    RESPONSE_TYPE = OffsetFetchResponseV7
    SCHEMA = Schema(
        ("group_id", CompactString("utf-8")),
        (
            "topics",
            CompactArray(
                ("name", CompactString("utf-8")),
                ("partition_indexes", CompactArray(Int32)),
                ("tags", TaggedFields),
            ),
        ),
        ("require_stable", Boolean),
        ("tags", TaggedFields),
    )


class _StableOffsets(Request[OffsetFetchRequestV7]):  # type: ignore[misc]  # likewise
    API_KEY: ClassVar[int] = 9

    def __init__(self, group: str, partition: Partition) -> None:
        self._group = group
        self._partition = partition

    def build(self, request_struct_class: type[OffsetFetchRequestV7]) -> OffsetFetchRequestV7:
        no_tags: dict[int, bytes] = {}
        topics = [(self._partition.topic, [self._partition.partition], no_tags)]
        return request_struct_class(self._group, topics, True, no_tags)  # noqa: FBT003 - wire order


async def read_committed(
    client: AIOKafkaClient,
    group: str,
    partition: Partition,
    *,
    timeout_s: float,
    backoff_s: float = 0.05,
) -> Committed:
    """Return what the group has committed; asks again until the coordinator can tell.

    Raises `WriterFailed` for an error that waiting does not mend, and after `timeout_s` seconds,
    with what the coordinator said last.
    """
    code = _UNANSWERED
    try:
        async with asyncio.timeout(timeout_s):
            while True:
                code, committed = await _ask(client, group, partition)
                if code == 0:
                    return committed
                if code not in _RETRIABLE:
                    msg = f"reading the offset of {partition}: {_words(code)}"
                    raise WriterFailed(msg)
                await asyncio.sleep(backoff_s)
    except TimeoutError:
        msg = f"reading the offset of {partition}, for {timeout_s:g} s: {_words(code)}"
        raise WriterFailed(msg) from None


def _words(code: int) -> str:
    if code == UNSTABLE_OFFSET_COMMIT:
        return (
            "UNSTABLE_OFFSET_COMMIT, the broker did not end an earlier transaction; "
            'if it stays: "A partition stands still" in docs/TROUBLESHOOTING.md'
        )
    return "no answer" if code == _UNANSWERED else str(errors.for_code(code).__name__)


async def _ask(client: AIOKafkaClient, group: str, partition: Partition) -> tuple[int, Committed]:
    try:
        node = await client.coordinator_lookup(CoordinationType.GROUP, group)
        answer = await client.send(
            node, _StableOffsets(group, partition), group=ConnectionGroup.COORDINATION
        )
    except errors.BrokerResponseError as error:
        return error.errno, Committed(None)
    if answer.error_code:
        return answer.error_code, Committed(None)
    for _, partitions, _ in answer.topics:
        for _, offset, _, metadata, code, _ in partitions:
            return code, Committed(offset if offset >= 0 else None, metadata or "")
    return errors.UnknownTopicOrPartitionError.errno, Committed(None)
