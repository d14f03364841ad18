"""A client for questions about the cluster, bounded in time and with errors in words."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from jiraiya_events.adapters.kafka.connection import KafkaConnection
from jiraiya_events.domain.errors import BrokerUnavailable

ASK_TIMEOUT_S: Final = 10.0
"""How long one question may take."""


@asynccontextmanager
async def cluster_client(
    connection: KafkaConnection, *, timeout_s: float = ASK_TIMEOUT_S
) -> AsyncIterator[AIOKafkaClient]:
    """Open a client that knows the cluster; each of its requests ends after `timeout_s`.

    Raises:
        BrokerUnavailable: nobody answers, or what was asked inside failed.
    """
    client = AIOKafkaClient(**connection.client_options(), request_timeout_ms=int(timeout_s * 1000))
    try:
        with silent_library():
            await client.bootstrap()
        yield client
    except (KafkaError, TimeoutError, OSError) as error:
        raise BrokerUnavailable(_explain(connection, error)) from error
    finally:
        await _close(client)


@contextmanager
def silent_library() -> Iterator[None]:
    """Keep aiokafka from logging what is about to be said in one line of ours."""
    logger = logging.getLogger("aiokafka")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


async def _close(client: AIOKafkaClient) -> None:
    closing = asyncio.ensure_future(client.close())
    try:
        await asyncio.wait([closing], timeout=ASK_TIMEOUT_S)
    finally:
        closing.cancel()


def _explain(connection: KafkaConnection, error: Exception) -> str:
    servers = connection.bootstrap_servers
    reason = str(error) or type(error).__name__
    if reason.startswith("Unable to bootstrap"):
        reason = "it does not answer"
    reason = reason.removeprefix("KafkaConnectionError: ")
    if reason.startswith("Unable to bootstrap"):
        reason = "it does not answer"
    return f"Kafka at {servers}: {reason}; `jiraiya doctor` tells what is wrong"
