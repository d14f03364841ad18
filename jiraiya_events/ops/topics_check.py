"""Are the topics there, and as the contract wants them?"""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Final

from jiraiya_events.adapters.kafka.connection import KafkaConnection
from jiraiya_events.adapters.kafka.topics import Change, TopicChange, TopicSpec, plan_topics
from jiraiya_events.domain.errors import BrokerUnavailable
from jiraiya_events.ops.findings import Finding, failed, ok, warning

TOPICS: Final = "topics"

_OPTIONAL: Final = (
    "it is optional: without it no request is withdrawn, or followed as it is written"
)


async def check_topics(
    connection: KafkaConnection,
    specs: Sequence[TopicSpec],
    optional: Collection[str],
    *,
    created_at_start: bool,
) -> list[Finding]:
    """Return a line for each topic that is missing or differs; raises `BrokerUnavailable`."""
    plan = await plan_topics(connection, [spec for spec in specs if spec.name not in optional])
    found = list(_findings(plan, failed, "`jiraiya topics apply`", created_at_start))
    try:
        plan = await plan_topics(connection, [spec for spec in specs if spec.name in optional])
    except BrokerUnavailable as error:  # a topic we may not even see, say
        found.append(warning(TOPICS, str(error), _OPTIONAL))
    else:
        mend = f"`jiraiya topics apply`; {_OPTIONAL}"
        found.extend(_findings(plan, warning, mend, created_at_start))
    return found or [ok(TOPICS, f"all {len(specs)} are there and as they should be")]


def _findings(
    plan: Sequence[TopicChange],
    missing: Callable[[str, str, str], Finding],
    mend: str,
    created_at_start: bool,  # noqa: FBT001 - private
) -> Iterator[Finding]:
    names = [change.topic for change in plan if change.change is Change.MISSING]
    if names and created_at_start:
        mend = "none is needed: `jiraiya serve` creates them at its start (in dev)"
        yield warning(TOPICS, f"missing: {', '.join(names)}", mend)
    elif names:
        yield missing(TOPICS, f"missing: {', '.join(names)}", mend)
    for change in plan:
        if change.change is not Change.MISSING:
            yield warning(TOPICS, f"{change.topic}: {change.detail}", change.mend)
