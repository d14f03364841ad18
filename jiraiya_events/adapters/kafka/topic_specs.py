"""The topics as the contract wants them, and how a topic that is there may differ from that."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from jiraiya_events.contract.dead_letters import HEADROOM_BYTES
from jiraiya_events.contract.topics import Topics

PROGRESS_RETENTION_S: Final = 3600.0
"""Progress is of use while a story is being written, and the longest deadline is ten minutes."""

CLEANUP: Final = "cleanup.policy"
RETENTION: Final = "retention.ms"
LARGEST: Final = "max.message.bytes"

_MS_PER_S: Final = 1000


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """One topic as it should be.

    `config` must be so on a topic that is there; `initial` only matters when we create it.
    `larger_than` names the topic whose `max.message.bytes` this one exceeds by `headroom` bytes.
    """

    name: str
    partitions: int
    replication_factor: int
    config: Mapping[str, str] = field(default_factory=dict)
    initial: Mapping[str, str] = field(default_factory=dict)
    larger_than: str | None = None
    headroom: int = HEADROOM_BYTES


@dataclass(frozen=True, slots=True)
class TopicState:
    """One topic as it is; `config` is None when we may not read it."""

    partitions: int
    replication_factor: int
    config: Mapping[str, str] | None


class Change(StrEnum):
    """What stands between a topic and its spec."""

    MISSING = "missing"
    CREATED = "created"
    DIFFERS = "differs"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class TopicChange:
    """One line of a plan; `mend` is what a person does about it, empty when nothing."""

    topic: str
    change: Change
    detail: str
    mend: str = ""


def topic_specs(
    topics: Topics, *, partitions: int, replication_factor: int, dlq_retention_s: float
) -> list[TopicSpec]:
    """Return what section 1 of the contract says of each topic, in its order."""
    delete = MappingProxyType({CLEANUP: "delete"})
    dlq = delete | {RETENTION: _ms(dlq_retention_s)}
    short = MappingProxyType({RETENTION: _ms(PROGRESS_RETENTION_S)})

    def spec(
        name: str,
        config: Mapping[str, str] = delete,
        initial: Mapping[str, str] = MappingProxyType({}),
        larger_than: str | None = None,
    ) -> TopicSpec:
        return TopicSpec(name, partitions, replication_factor, config, initial, larger_than)

    return [
        spec(topics.requested),
        spec(topics.generated),
        spec(topics.failed),
        spec(topics.dlq, dlq, larger_than=topics.requested),
        spec(topics.marks, MappingProxyType({CLEANUP: "compact"})),
        spec(topics.cancelled),
        spec(topics.progress, initial=short),
    ]


def differences(
    spec: TopicSpec, state: TopicState, smallest_bytes: int | None
) -> list[TopicChange]:
    """Return a line for each way in which the topic is not as it should be.

    More partitions and replicas, and room for larger messages, are as good as the spec's.
    """
    found = []
    if state.partitions < spec.partitions:
        found.append(_too_few_partitions(spec, state))
    if state.replication_factor < spec.replication_factor:
        found.append(
            TopicChange(
                spec.name,
                Change.DIFFERS,
                f"{state.replication_factor} replicas, {spec.replication_factor} wanted",
                "move it with kafka-reassign-partitions.sh, or lower "
                "JIRAIYA_TOPICS__REPLICATION_FACTOR",
            )
        )
    if state.config is None:
        found.append(
            TopicChange(
                spec.name,
                Change.UNREADABLE,
                "its configuration may not be read",
                "allow DescribeConfigs on the topic, or check it yourself",
            )
        )
        return found
    wanted = dict(spec.config)
    if smallest_bytes is not None and int(state.config.get(LARGEST, "0")) < smallest_bytes:
        wanted[LARGEST] = str(smallest_bytes)
    found.extend(_wrong_config(spec.name, wanted, state.config))
    return found


def create_config(spec: TopicSpec, smallest_bytes: int | None) -> dict[str, str]:
    """Return the configuration a new topic is given."""
    larger = {} if smallest_bytes is None else {LARGEST: str(smallest_bytes)}
    return {**spec.config, **spec.initial, **larger}


def _too_few_partitions(spec: TopicSpec, state: TopicState) -> TopicChange:
    return TopicChange(
        spec.name,
        Change.DIFFERS,
        f"{state.partitions} partitions, {spec.partitions} wanted",
        f"kafka-topics.sh --alter --topic {spec.name} --partitions {spec.partitions} while nobody "
        "sends (keys move to other partitions), or lower JIRAIYA_TOPICS__PARTITIONS",
    )


def _wrong_config(
    topic: str, wanted: Mapping[str, str], config: Mapping[str, str]
) -> list[TopicChange]:
    return [
        TopicChange(
            topic,
            Change.DIFFERS,
            f"{name}={config.get(name, '(unknown)')}, {value} wanted",
            f"kafka-configs.sh --alter --entity-type topics --entity-name {topic} "
            f"--add-config {name}={value}",
        )
        for name, value in wanted.items()
        if config.get(name) != value
    ]


def _ms(seconds: float) -> str:
    return str(int(seconds * _MS_PER_S))
