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
    missing = [change.topic for change in plan if change.change is Change.MISSING]
    found = [_missing(missing, created_at_start=created_at_start)] if missing else []
    found.extend(_differing(change) for change in plan if change.change is not Change.MISSING)
    return found or [ok(TOPICS, f"all {len(specs)} are there and as they should be")]


def _missing(names: Sequence[str], *, created_at_start: bool) -> Finding:
    detail = f"missing: {', '.join(names)}"
    if created_at_start:
        mend = "none is needed: `jiraiya serve` creates them at its start (in dev)"
        return warning(TOPICS, detail, mend)
    return failed(TOPICS, detail, "`jiraiya topics apply`")


def _differing(change: TopicChange) -> Finding:
    return warning(TOPICS, f"{change.topic}: {change.detail}", change.mend)
