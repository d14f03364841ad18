"""Planning the topics and creating what is missing; nothing that is there is ever changed."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from aiokafka import errors
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.admin import CreateTopicsRequest

from jiraiya_events.adapters.kafka.admin import ASK_TIMEOUT_S, cluster_client
from jiraiya_events.adapters.kafka.connection import KafkaConnection
from jiraiya_events.adapters.kafka.topic_specs import (
    Change,
    TopicChange,
    TopicSpec,
    create_config,
    differences,
    topic_specs,
)
from jiraiya_events.adapters.kafka.topic_states import (
    describe_topics,
    smallest_limits,
    topics_led,
)
from jiraiya_events.domain.errors import BrokerUnavailable

__all__ = ["Change", "TopicChange", "TopicSpec", "apply_topics", "plan_topics", "topic_specs"]

VISIBLE_TIMEOUT_S: Final = 30.0
"""How long a new topic may take until every partition of it has a leader."""

_LOOK_EVERY_S: Final = 0.05
_THERE_ALREADY: Final = errors.TopicAlreadyExistsError.errno
_FORBIDDEN: Final = {
    errors.TopicAuthorizationFailedError.errno,
    errors.ClusterAuthorizationFailedError.errno,
}

Limits = Mapping[str, int]


async def plan_topics(connection: KafkaConnection, specs: Sequence[TopicSpec]) -> list[TopicChange]:
    """Return what is missing or differs, in the order of `specs`; [] when all is as it should be.

    Raises `BrokerUnavailable`.
    """
    async with cluster_client(connection) as client:
        return (await _plan(client, specs))[0]


async def apply_topics(
    connection: KafkaConnection, specs: Sequence[TopicSpec]
) -> list[TopicChange]:
    """Create what is missing and return the plan with `created` for `missing`.

    May run any number of times, in any number of processes at once. Returns when every new
    partition has a leader. Raises `BrokerUnavailable`, also when a topic may not be created.
    """
    async with cluster_client(connection) as client:
        plan, limits = await _plan(client, specs)
        missing = [change.topic for change in plan if change.change is Change.MISSING]
        if missing:
            await _create(client, [spec for spec in specs if spec.name in missing], limits)
            await _wait_until_led(client, missing)
    return [_created(change) for change in plan]


async def _plan(
    client: AIOKafkaClient, specs: Sequence[TopicSpec]
) -> tuple[list[TopicChange], Limits]:
    states = await describe_topics(client, [spec.name for spec in specs])
    limits = await smallest_limits(client, specs, states)
    plan: list[TopicChange] = []
    for spec in specs:
        state = states.get(spec.name)
        if state is None:
            plan.append(_missing(spec, limits.get(spec.name)))
        else:
            plan.extend(differences(spec, state, limits.get(spec.name)))
    return plan, limits


def _missing(spec: TopicSpec, smallest_bytes: int | None) -> TopicChange:
    config = ", ".join(f"{k}={v}" for k, v in create_config(spec, smallest_bytes).items())
    partitions = f"{spec.partitions} partition{'' if spec.partitions == 1 else 's'}"
    detail = f"{partitions}, replication factor {spec.replication_factor}, {config}"
    return TopicChange(spec.name, Change.MISSING, detail, "jiraiya topics apply")


def _created(change: TopicChange) -> TopicChange:
    if change.change is Change.MISSING:
        return TopicChange(change.topic, Change.CREATED, change.detail)
    return change


async def _create(client: AIOKafkaClient, specs: Sequence[TopicSpec], limits: Limits) -> None:
    wanted = [_wire(spec, limits.get(spec.name)) for spec in specs]
    request = CreateTopicsRequest(wanted, timeout=int(ASK_TIMEOUT_S * 1000), validate_only=False)
    answer = await client.send(await _controller(client), request)
    for name, code, said in answer.topic_errors:
        if code not in {0, _THERE_ALREADY}:
            raise BrokerUnavailable(_not_created(name, code, said))


def _wire(spec: TopicSpec, smallest_bytes: int | None) -> tuple[object, ...]:
    config = list(create_config(spec, smallest_bytes).items())
    anywhere: list[object] = []
    return (spec.name, spec.partitions, spec.replication_factor, anywhere, config)


async def _controller(client: AIOKafkaClient) -> int:
    if client.cluster.controller is None:
        await client.force_metadata_update()
    controller = client.cluster.controller
    node: int = client.get_random_node() if controller is None else controller.nodeId
    return node


async def _wait_until_led(client: AIOKafkaClient, names: Sequence[str]) -> None:
    try:
        async with asyncio.timeout(VISIBLE_TIMEOUT_S):
            while not await topics_led(client, names):  # noqa: ASYNC110 - a broker tells nobody
                await asyncio.sleep(_LOOK_EVERY_S)
    except TimeoutError:
        msg = (
            f"the new topics {', '.join(names)} have no leader after {VISIBLE_TIMEOUT_S:.0f} s: "
            "look at the brokers' logs"
        )
        raise BrokerUnavailable(msg) from None


def _not_created(name: str, code: int, said: str | None) -> str:
    error = errors.for_code(code)
    reason = (said or error.__name__).rstrip(".")
    if code in _FORBIDDEN:
        mend = "grant Create to our user, or let somebody who may run `jiraiya topics apply`"
    elif error is errors.InvalidReplicationFactorError:
        mend = "lower JIRAIYA_TOPICS__REPLICATION_FACTOR, or add brokers"
    else:
        mend = "mend that, then run `jiraiya topics apply`"
    return f"Kafka does not create the topic {name} ({reason}): {mend}"
