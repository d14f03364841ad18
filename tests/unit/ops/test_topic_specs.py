"""What the topics should be, and what counts as a difference."""

from dataclasses import replace

from jiraiya_events.adapters.kafka.topic_specs import (
    Change,
    TopicSpec,
    TopicState,
    create_config,
    differences,
    topic_specs,
)
from jiraiya_events.contract.topics import Topics

DAY_S = 86_400.0
NAMES = Topics(requested="in", dlq="dead")
SPECS = topic_specs(NAMES, partitions=6, replication_factor=3, dlq_retention_s=14 * DAY_S)
DLQ = next(spec for spec in SPECS if spec.name == "dead")
AS_WANTED = {"cleanup.policy": "delete", "retention.ms": "1209600000", "max.message.bytes": "99"}


def state(**changes: object) -> TopicState:
    return replace(TopicState(6, 3, AS_WANTED), **changes)  # type: ignore[arg-type]


def test_there_are_seven_topics_with_the_contracts_policies() -> None:
    """Only the marks are compacted; dead letters stay as long as outcomes are kept."""
    policies = {spec.name: spec.config["cleanup.policy"] for spec in SPECS}
    assert len(policies) == 7
    assert [name for name, policy in policies.items() if policy == "compact"] == [NAMES.marks]
    assert DLQ.config["retention.ms"] == str(14 * 86_400_000)


def test_dead_letters_may_be_larger_than_requests() -> None:
    """By 64 KiB, for the headers that say what happened."""
    assert (DLQ.larger_than, DLQ.headroom) == ("in", 65_536)
    assert create_config(DLQ, 70_000)["max.message.bytes"] == "70000"


def test_a_topic_as_wanted_has_no_differences() -> None:
    """More partitions, replicas and room are as good."""
    assert differences(DLQ, state(), 99) == []
    assert differences(DLQ, state(partitions=9, replication_factor=5), 98) == []


def test_each_difference_is_named_with_how_to_mend_it() -> None:
    """Fewer partitions, fewer replicas, another retention, too little room."""
    config = AS_WANTED | {"retention.ms": "1"}
    found = differences(DLQ, TopicState(3, 1, config), 100)
    assert [change.change for change in found] == [Change.DIFFERS] * 4
    partitions, replicas, *configs = found
    assert "3 partitions, 6 wanted" in partitions.detail
    assert "--partitions 6" in partitions.mend
    assert "REPLICATION_FACTOR" in replicas.mend
    details = " ".join(change.detail for change in configs)
    assert "retention.ms=1, 1209600000 wanted" in details
    assert "max.message.bytes=99, 100 wanted" in details
    assert all("--entity-name dead" in change.mend for change in configs)


def test_a_configuration_we_may_not_read_is_said_and_not_guessed() -> None:
    """The rest is compared all the same."""
    (found,) = differences(DLQ, state(config=None), 99)
    assert found.change is Change.UNREADABLE


def test_what_only_matters_at_creation_is_no_difference() -> None:
    """An operator may keep progress for longer."""
    spec = TopicSpec("p", 1, 1, {"cleanup.policy": "delete"}, {"retention.ms": "5"})
    assert create_config(spec, None)["retention.ms"] == "5"
    assert differences(spec, TopicState(1, 1, {"cleanup.policy": "delete"}), None) == []
