"""A consumer group, as the cluster tells of it."""

from confluent_kafka import ConsumerGroupTopicPartitions
from confluent_kafka.admin import AdminClient

from tests.blackbox.world import World

_PATIENCE_S = 20


class Group:
    """The group of a world's services."""

    def __init__(self, world: World) -> None:
        self._name = world.group
        self._topic = world.requested
        self._client = AdminClient({"bootstrap.servers": world.bootstrap, "log_level": 0})

    def shares(self) -> list[set[int]]:
        """Return which partitions each member has, as long as they are being handed out: none."""
        answer = self._client.describe_consumer_groups([self._name])[self._name]
        members = answer.result(_PATIENCE_S).members
        return [{p.partition for p in m.assignment.topic_partitions} for m in members]

    def committed(self) -> dict[int, int]:
        """Return the committed offset of each partition that has one."""
        wanted = [ConsumerGroupTopicPartitions(self._name)]
        answer = self._client.list_consumer_group_offsets(wanted)[self._name]
        places = answer.result(_PATIENCE_S).topic_partitions
        return {p.partition: p.offset for p in places if p.topic == self._topic}
