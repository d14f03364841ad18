"""Are the topics there, and as the contract wants them?"""

from collections.abc import Sequence
from typing import Final

from jiraiya_events.adapters.kafka.connection import KafkaConnection
from jiraiya_events.adapters.kafka.topics import Change, TopicChange, TopicSpec, plan_topics
from jiraiya_events.ops.findings import Finding, failed, ok, warning

TOPICS: Final = "topics"


async def check_topics(
    connection: KafkaConnection, specs: Sequence[TopicSpec], *, created_at_start: bool
) -> list[Finding]:
    """Return a line for each topic that is missing or differs; raises `BrokerUnavailable`."""
    plan = await plan_topics(connection, specs)
    found = [_finding(change, created_at_start=created_at_start) for change in plan]
    return found or [ok(TOPICS, f"all {len(specs)} are there and as they should be")]


def _finding(change: TopicChange, *, created_at_start: bool) -> Finding:
    if change.change is not Change.MISSING:
        return warning(TOPICS, f"{change.topic}: {change.detail}", change.mend)
    if created_at_start:
        mend = "nothing: `jiraiya serve` creates it at its start; or `jiraiya topics apply`"
        return warning(TOPICS, f"{change.topic} is missing", mend)
    return failed(TOPICS, f"{change.topic} is missing", "`jiraiya topics apply`")
