"""What an administrator does to a cluster, by design or by mistake."""

from concurrent.futures import Future
from typing import Any, Self

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    NewPartitions,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)

USER = "jiraiya"
_PATIENCE_S = 20


class Administrator:
    """Acts on one cluster; every method returns when it is done, and raises when it is refused."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._client = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})

    def create(self, topic: str, partitions: int) -> None:
        """Create a topic."""
        _wait(self._client.create_topics([NewTopic(topic, partitions, 1)]))

    def delete(self, topic: str) -> None:
        """Delete a topic with everything in it."""
        _wait(self._client.delete_topics([topic]))

    def grow(self, topic: str, partitions: int) -> None:
        """Give a topic more partitions."""
        _wait(self._client.create_partitions([NewPartitions(topic, partitions)]))

    def delete_records(self, topic: str, partition: int, before: int) -> None:
        """Do what retention does, at once."""
        _wait(self._client.delete_records([TopicPartition(topic, partition, before)]))

    def delete_group(self, group: str) -> None:
        """Delete a group's offsets."""
        _wait(self._client.delete_consumer_groups([group]))

    def take_epoch(self, transactional_id: str) -> None:
        """Fence whoever writes under a transactional id."""
        options = {"bootstrap.servers": self._bootstrap, "transactional.id": transactional_id}
        Producer({**options, "log_level": 0}).init_transactions(_PATIENCE_S)

    def commit(self, group: str, topic: str, partition: int, offset: int, metadata: str) -> None:
        """Set a group's progress; refused while the group has members."""
        consumer = Consumer(
            {"bootstrap.servers": self._bootstrap, "group.id": group, "log_level": 0}
        )
        terms = (metadata,) if metadata else ()  # an empty text would be sent as a zero byte
        place = TopicPartition(topic, partition, offset, *terms)
        consumer.commit(offsets=[place], asynchronous=False)
        consumer.close()

    def allow(self, *rights: "Right") -> None:
        """Grant."""
        _wait(self._client.create_acls([right.binding() for right in rights]))

    def forbid(self, right: "Right") -> None:
        """Take a right away."""
        _wait(self._client.delete_acls([right.filter()]))


class Right:
    """One rule for the service's user."""

    def __init__(self, kind: Any, name: str, operation: Any, *, prefix: bool = False) -> None:
        self._kind = kind
        self._name = name
        self._operation = operation
        self._pattern = ResourcePatternType.PREFIXED if prefix else ResourcePatternType.LITERAL

    @classmethod
    def to_read(cls, topic: str) -> Self:
        """READ on a topic."""
        return cls(ResourceType.TOPIC, topic, AclOperation.READ)

    @classmethod
    def to_write(cls, topic: str) -> Self:
        """WRITE on a topic."""
        return cls(ResourceType.TOPIC, topic, AclOperation.WRITE)

    @classmethod
    def to_join(cls, group: str) -> Self:
        """READ on a group."""
        return cls(ResourceType.GROUP, group, AclOperation.READ)

    @classmethod
    def to_transact(cls, prefix: str) -> Self:
        """WRITE on transactional ids."""
        return cls(ResourceType.TRANSACTIONAL_ID, prefix, AclOperation.WRITE, prefix=True)

    def binding(self) -> AclBinding:
        """Return it as a rule to create."""
        return AclBinding(*self._terms())

    def filter(self) -> AclBindingFilter:
        """Return it as a rule to delete."""
        return AclBindingFilter(*self._terms())

    def _terms(self) -> tuple[Any, ...]:
        place = (self._kind, self._name, self._pattern)
        return (*place, f"User:{USER}", "*", self._operation, AclPermissionType.ALLOW)


def _wait(answers: dict[Any, Future[Any]]) -> None:
    for answer in answers.values():
        answer.result(_PATIENCE_S)
