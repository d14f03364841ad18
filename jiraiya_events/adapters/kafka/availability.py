"""Waiting for a broker that is not there yet, with a line a person can act on."""

import asyncio
import logging

import structlog
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from jiraiya_events.adapters.kafka.connection import KafkaConnection

log = structlog.get_logger(__name__)

SAY_EVERY_S = 10.0
ASK_EVERY_S = (0.2, 2.0)


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
            log.warning(
                "waiting for Kafka: it does not answer; `jiraiya doctor` tells why",
                bootstrap_servers=connection.bootstrap_servers,
                error=type(error).__name__,
            )
        await asyncio.sleep(wait)
        wait = min(wait * 2, longest)


async def _ask(connection: KafkaConnection) -> Exception | None:
    """Return why no broker answered, None when one did."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # one line of ours is enough
    client = AIOKafkaAdminClient(**connection.client_options(), request_timeout_ms=5_000)
    try:
        await client.start()
    except (KafkaError, OSError) as error:
        return error
    else:
        return None
    finally:
        await client.close()
        logging.getLogger("aiokafka").setLevel(logging.WARNING)
