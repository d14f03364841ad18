"""May we do what the service does: read the inputs and the group, write in transactions."""

from typing import Final

from jiraiya_events.adapters.kafka.admin import cluster_client
from jiraiya_events.adapters.kafka.authorization import (
    UNKNOWN,
    group_rights,
    may_open_transactions,
    topic_rights,
)
from jiraiya_events.adapters.kafka.connection import KafkaConnection
from jiraiya_events.adapters.kafka.needs import Needs, denied, missing_rights
from jiraiya_events.contract.topics import Topics
from jiraiya_events.ops.findings import Finding, failed, ok, warning

AUTHORIZATION: Final = "authorization"


async def check_authorization(
    connection: KafkaConnection, group: str, topics: Topics
) -> list[Finding]:
    """Return a line for each right that is missing; raises `BrokerUnavailable`."""
    needs = Needs((topics.requested,), (topics.generated, topics.failed, topics.dlq), group)
    optional = Needs((topics.cancelled,), (topics.progress,), group)
    async with cluster_client(connection) as client:
        rights = await topic_rights(client, [*needs.topics, *optional.topics])
        group_bits = await group_rights(client, group)
        # An id of its own under the service's prefix: no running replica is fenced by it.
        transactions = await may_open_transactions(client, f"{group}.doctor")
    # A topic that is not there is the next check's to report.
    lacks = [*missing_rights(needs, rights, group_bits)]
    if not transactions:
        lacks.append(
            denied(
                f"write in transactions as {group}.…",
                f"WRITE on transactional ids that start with `{group}.`",
            )
        )
    found = [failed(AUTHORIZATION, lack.what, lack.mend) for lack in lacks]
    found.extend(
        warning(AUTHORIZATION, f"{lack.what}, which is optional", lack.mend)
        for lack in missing_rights(optional, rights, UNKNOWN)
    )
    return found or [ok(AUTHORIZATION, "inputs, outputs, group and transactions are allowed")]
