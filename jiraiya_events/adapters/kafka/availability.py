"""Waiting for a broker that is not there yet, with a line a person can act on."""

import asyncio

import structlog

from jiraiya_events.adapters.kafka.admin import cluster_client
from jiraiya_events.adapters.kafka.connection import KafkaConnection
from jiraiya_events.domain.errors import BrokerUnavailable

log = structlog.get_logger(__name__)

SAY_EVERY_S = 10.0
ASK_EVERY_S = (0.2, 2.0)
ASK_TIMEOUT_S = 5.0


async def wait_for_broker(connection: KafkaConnection) -> None:
    """Return when a broker has answered; until then say so every now and then."""
    loop = asyncio.get_running_loop()
    wait, longest = ASK_EVERY_S
    said_at = -SAY_EVERY_S
    while True:
        error = await _ask(connection)
        if error is None:
            return
        if loop.time() - said_at >= SAY_EVERY_S:
            said_at = loop.time()
            log.warning("waiting for Kafka", reason=str(error))
        await asyncio.sleep(wait)
        wait = min(wait * 2, longest)


async def _ask(connection: KafkaConnection) -> BrokerUnavailable | None:
    """Return why no broker answered, None when one did."""
    try:
        async with cluster_client(connection, timeout_s=ASK_TIMEOUT_S):
            return None
    except BrokerUnavailable as error:
        return error
