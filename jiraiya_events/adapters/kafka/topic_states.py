"""What the cluster says of topics: there or not, how large, and how configured."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiokafka import errors
from aiokafka.admin.config_resource import ConfigResourceType
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.admin import DescribeConfigsRequest
from aiokafka.protocol.metadata import MetadataRequest

from jiraiya_events.adapters.kafka.topic_specs import LARGEST, TopicSpec, TopicState
from jiraiya_events.domain.errors import BrokerUnavailable

_BROKER_LARGEST: Final = "message.max.bytes"
_BROKER_LARGEST_DEFAULT: Final = 1_048_588
_FORBIDDEN: Final = errors.TopicAuthorizationFailedError.errno
_NOT_THERE: Final = errors.UnknownTopicOrPartitionError.errno

States = dict[str, TopicState]


async def describe_topics(client: AIOKafkaClient, names: Sequence[str]) -> States:
    """Return the topics that are there, by name; raises `BrokerUnavailable` for a hidden one."""
    found: States = {}
    for topic in await _metadata(client, names):
        name, code = topic["topic"], topic["error_code"]
        if code == _FORBIDDEN:
            msg = (
                f"Kafka does not let us see the topic {name}: grant Describe to our user, or let "
                "somebody who may run `jiraiya topics plan`"
            )
            raise BrokerUnavailable(msg)
        if code != _NOT_THERE:
            replicas = min((len(p["replicas"]) for p in topic["partitions"]), default=0)
            found[name] = TopicState(len(topic["partitions"]), replicas, None)
    configs = await _configs(client, list(found))
    return {
        name: TopicState(state.partitions, state.replication_factor, configs.get(name))
        for name, state in found.items()
    }


class TopicMissing(BrokerUnavailable):
    """There is no such topic."""


async def partitions_of(client: AIOKafkaClient, name: str) -> list[int]:
    """Return the partitions of one topic.

    Raises `TopicMissing`, and `BrokerUnavailable` when it cannot be read.
    """
    for topic in await _metadata(client, [name]):
        if topic["error_code"] == _FORBIDDEN:
            msg = f"we may not see the topic {name}: grant Read on it to the service's user"
            raise BrokerUnavailable(msg)
        if topic["error_code"] != _NOT_THERE:
            return sorted(partition["partition"] for partition in topic["partitions"])
    msg = f"there is no topic {name}: create it with `jiraiya topics apply`"
    raise TopicMissing(msg)


async def topics_led(client: AIOKafkaClient, names: Sequence[str]) -> bool:
    """Tell whether every partition of these topics has a leader."""
    return all(
        topic["error_code"] == 0
        and topic["partitions"]
        and all(partition["error_code"] == 0 for partition in topic["partitions"])
        for topic in await _metadata(client, names)
    )


async def smallest_limits(
    client: AIOKafkaClient, specs: Sequence[TopicSpec], states: States
) -> dict[str, int]:
    """Return the least `max.message.bytes` of each topic that must take more than another."""
    found: dict[str, int] = {}
    for spec in specs:
        if spec.larger_than is not None:
            state = states.get(spec.larger_than)
            config = state.config if state is not None and state.config is not None else {}
            largest = int(config[LARGEST]) if LARGEST in config else await _broker_limit(client)
            found[spec.name] = largest + spec.headroom
    return found


async def _metadata(client: AIOKafkaClient, names: Sequence[str]) -> list[dict[str, Any]]:
    # The client's own question would create the topics on a broker that does so by itself.
    request = MetadataRequest(list(names), allow_auto_topic_creation=False)
    answer = await client.send(client.get_random_node(), request)
    topics: list[dict[str, Any]] = answer.to_object()["topics"]
    return topics


async def _configs(client: AIOKafkaClient, names: Sequence[str]) -> dict[str, Mapping[str, str]]:
    """Return the effective configuration of each topic whose configuration we may read."""
    resources = [(ConfigResourceType.TOPIC, name, None) for name in names]
    if not resources:
        return {}
    answer = await client.send(client.get_random_node(), DescribeConfigsRequest(resources))
    return _readable(answer.to_object()["resources"])


async def _broker_limit(client: AIOKafkaClient) -> int:
    """Return the limit a topic without one of its own has; Kafka's default if we may not ask."""
    node = client.get_random_node()
    resources = [(ConfigResourceType.BROKER, str(node), [_BROKER_LARGEST])]
    answer = await client.send(node, DescribeConfigsRequest(resources))
    for config in _readable(answer.to_object()["resources"]).values():
        return int(config.get(_BROKER_LARGEST, _BROKER_LARGEST_DEFAULT))
    return _BROKER_LARGEST_DEFAULT


def _readable(resources: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, str]]:
    return {
        resource["resource_name"]: {
            entry["config_names"]: entry["config_value"] for entry in resource["config_entries"]
        }
        for resource in resources
        if resource["error_code"] == 0
    }
