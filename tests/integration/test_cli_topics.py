"""`topics plan` and `topics apply` on a real broker, with topics of the test's own."""

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest

from jiraiya_events.adapters.kafka.connection import KafkaConnection
from jiraiya_events.adapters.kafka.topics import Change, apply_topics, plan_topics, topic_specs
from jiraiya_events.contract.topics import Topics
from jiraiya_events.domain.errors import BrokerUnavailable
from tests.unit.cli.command_line import jiraiya


def own_topics() -> Topics:
    name = uuid4().hex[:12]
    kinds = ("requested", "generated", "failed", "dlq", "marks", "cancelled", "progress")
    return Topics(**{kind: f"{name}.{kind}" for kind in kinds})


async def test_many_may_apply_at_once_and_again(kafka_bootstrap: str) -> None:
    """Whoever comes second finds it done; afterwards the plan is empty."""
    connection = KafkaConnection(kafka_bootstrap)
    specs = topic_specs(own_topics(), partitions=3, replication_factor=1, dlq_retention_s=3600)
    before = await plan_topics(connection, specs)
    assert {change.change for change in before} == {Change.MISSING}
    applied = await asyncio.gather(*(apply_topics(connection, specs) for _ in range(4)))
    assert {change.change for changes in applied for change in changes} <= {Change.CREATED}
    assert await plan_topics(connection, specs) == []
    assert await apply_topics(connection, specs) == []


async def test_what_is_there_is_never_changed(kafka_bootstrap: str) -> None:
    """Fewer partitions and another retention are reported, and stay."""
    connection = KafkaConnection(kafka_bootstrap)
    topics = own_topics()
    small = topic_specs(topics, partitions=1, replication_factor=1, dlq_retention_s=3600)
    large = topic_specs(topics, partitions=2, replication_factor=1, dlq_retention_s=7200)
    await apply_topics(connection, small)
    changes = await apply_topics(connection, large)
    assert {change.change for change in changes} == {Change.DIFFERS}
    assert len(changes) == 8  # seven topics with too few partitions, and the retention
    assert await plan_topics(connection, small) == []


async def test_too_few_brokers_is_said_in_words(kafka_bootstrap: str) -> None:
    """With the setting to change."""
    specs = topic_specs(own_topics(), partitions=1, replication_factor=2, dlq_retention_s=3600)
    with pytest.raises(BrokerUnavailable, match="JIRAIYA_TOPICS__REPLICATION_FACTOR"):
        await apply_topics(KafkaConnection(kafka_bootstrap), specs)


def test_the_commands_plan_then_create(kafka_bootstrap: str, tmp_path: Path) -> None:
    """Listings for machines on stdout, for people with the next step."""
    topics = own_topics()
    settings = {
        "JIRAIYA_KAFKA__BOOTSTRAP_SERVERS": kafka_bootstrap,
        "JIRAIYA_TOPICS__PARTITIONS": "2",
        **{f"JIRAIYA_TOPICS__{kind.upper()}": getattr(topics, kind) for kind in Topics.__slots__},
    }
    planned = jiraiya("topics", "plan", cwd=tmp_path, settings=settings)
    assert planned.code == 0
    assert planned.out.count("missing") == 7
    assert "jiraiya topics apply" in planned.err
    applied = jiraiya("topics", "apply", "--json", cwd=tmp_path, settings=settings)
    assert [row["change"] for row in applied.rows] == ["created"] * 7
    again = jiraiya("topics", "plan", "--json", cwd=tmp_path, settings=settings)
    assert (again.code, again.out) == (0, "")
