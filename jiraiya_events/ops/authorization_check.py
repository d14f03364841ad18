"""May we do what the service does: read the inputs and the group, write in transactions."""

from collections.abc import Iterator, Mapping
from typing import Final

from jiraiya_events.adapters.kafka.admin import cluster_client
from jiraiya_events.adapters.kafka.authorization import (
    READ,
    WRITE,
    allows,
    group_rights,
    may_open_transactions,
    topic_rights,
)
from jiraiya_events.adapters.kafka.connection import KafkaConnection
from jiraiya_events.contract.topics import Topics
from jiraiya_events.ops.findings import Finding, failed, ok

AUTHORIZATION: Final = "authorization"


async def check_authorization(
    connection: KafkaConnection, group: str, topics: Topics
) -> list[Finding]:
    """Return a line for each right that is missing; raises `BrokerUnavailable`."""
    read, write = _needed(topics)
    async with cluster_client(connection) as client:
        rights = await topic_rights(client, [*read, *write])
        group_bits = await group_rights(client, group)
        # An id of its own under the service's prefix: no running replica is fenced by it.
        transactions = await may_open_transactions(client, f"{group}.doctor")
    found = [*_topics(rights, read, write)]
    if not allows(group_bits, READ):
        found.append(_denied(f"read the group {group}", "READ on that group"))
    if not transactions:
        found.append(
            _denied(
                f"write in transactions as {group}.…",
                f"WRITE on transactional ids that start with `{group}.`",
            )
        )
    return found or [ok(AUTHORIZATION, "inputs, outputs, group and transactions are allowed")]


def _needed(topics: Topics) -> tuple[tuple[str, ...], tuple[str, ...]]:
    read = (topics.requested, topics.cancelled)
    return read, (topics.generated, topics.failed, topics.dlq, topics.progress)


def _topics(
    rights: Mapping[str, int], read: tuple[str, ...], write: tuple[str, ...]
) -> Iterator[Finding]:
    # A topic that is not there is the next check's to report.
    for name in read:
        if name in rights and not allows(rights[name], READ):
            yield _denied(f"read the topic {name}", "READ on that topic")
    for name in write:
        if name in rights and not allows(rights[name], WRITE):
            yield _denied(f"write to the topic {name}", "WRITE on that topic")


def _denied(act: str, right: str) -> Finding:
    return failed(AUTHORIZATION, f"we may not {act}", f"grant {right} to the service's user")
