"""A transactional producer of aiokafka's: how it is made, ended, and what it does not tell."""

import asyncio
import logging
from collections.abc import Sequence
from traceback import walk_tb

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    InvalidProducerEpoch,
    MessageSizeTooLargeError,
    ProducerFenced,
    RecordListTooLargeError,
)

from jiraiya_events.adapters.kafka.batches import Sent
from jiraiya_events.adapters.kafka.connection import KafkaConnection
from jiraiya_events.engine.errors import OutputsRefused

log = logging.getLogger(__name__)

TRANSACTION_TIMEOUT_MS = 10_000
"""A cycle takes tens of milliseconds; whoever is longer away has been replaced."""

REQUEST_TIMEOUT_MS = 10_000

EPOCH_TIMEOUT_S = 20.0
COMMIT_TIMEOUT_S = 30.0
CLOSE_TIMEOUT_S = 5.0
HANG_UP_TIMEOUT_S = 1.0
"""For the goodbyes of TLS; the sockets are closed by then."""

RETRY_BACKOFF_MS = 20
"""Between two transactions the coordinator says "concurrent": 27 ms a cycle instead of 110."""

MAX_REQUEST_BYTES = 16 * 1024 * 1024
"""The broker is to judge sizes: its limits are set per topic, and it knows them."""

MAX_BATCH_BYTES = 64 * 1024
"""A topic's limit is one *batch*'s: larger ones had small outputs refused for being many.

A single larger record still travels, as a batch of its own.
"""

TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)
FENCED = (ProducerFenced, InvalidProducerEpoch)


def transactional_producer(connection: KafkaConnection, name: str) -> AIOKafkaProducer:
    """Return an unstarted producer whose `transactional.id` is `name`."""
    return AIOKafkaProducer(
        **connection.client_options(),
        transactional_id=name,
        transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
        retry_backoff_ms=RETRY_BACKOFF_MS,
        max_request_size=MAX_REQUEST_BYTES,
        max_batch_size=MAX_BATCH_BYTES,
    )


def transaction_error(producer: AIOKafkaProducer | None) -> BaseException | None:
    """Return why the transaction ended, which its batches may tell as something else.

    To look at it also keeps asyncio from complaining that nobody did.
    """
    if producer is None:
        return None
    ended = producer._txn_manager.wait_for_transaction_end()  # noqa: SLF001 - nothing public tells
    if ended is None or not ended.done() or ended.cancelled():
        return None
    found: BaseException | None = ended.exception()
    return found


def check_sent(sent: Sequence[Sent], results: Sequence[object]) -> None:
    """Raise what the batches raised: refusals together, else the first error."""
    refused = [
        index
        for batch, result in zip(sent, results, strict=True)
        if isinstance(result, TOO_LARGE)
        for index in batch.indices
    ]
    if refused:
        msg = "the broker finds a record too large for its topic"
        raise OutputsRefused(frozenset(refused), msg)
    for result in results:
        if isinstance(result, BaseException):
            raise result


async def start_producer(producer: AIOKafkaProducer) -> None:
    """Start it; cut off, it leaves no connection behind.

    aiokafka asks its first question over a connection that nobody else knows of, and drops it open.
    """
    try:
        await producer.start()
    except BaseException as end:
        for frame, _ in walk_tb(end.__traceback__):
            if (connection := frame.f_locals.get("bootstrap_conn")) is not None:
                connection.close()
        raise


async def close_producer(producer: AIOKafkaProducer) -> None:
    """Close what can be closed in time and end the rest, also of a fenced producer; never raises.

    aiokafka's own way waits for batches that may never be delivered, and cut off it leaves the
    tasks behind that go on delivering them.
    """
    stopping = asyncio.ensure_future(producer.stop())
    try:
        await asyncio.wait([stopping], timeout=CLOSE_TIMEOUT_S)
    finally:
        await _end([stopping, *_under_way(producer)])
        hanging_up = asyncio.ensure_future(producer.client.close())
        await asyncio.wait([hanging_up], timeout=HANG_UP_TIMEOUT_S)
        await _end([hanging_up])
        _look_at_errors(producer)


async def _end(tasks: Sequence[asyncio.Future[object]]) -> None:
    for task in tasks:
        task.cancel()
    for error in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(error, Exception):  # a dead producer may fail in any way while closing
            log.debug("closing a producer failed: %r", error)


def _under_way(producer: AIOKafkaProducer) -> list[asyncio.Task[object]]:
    """Return the tasks of a producer that still run; aiokafka keeps no list of them."""
    parts = (producer._sender, producer._message_accumulator)  # noqa: SLF001 - as above
    return [task for task in asyncio.all_tasks() if _whose(task) in parts]


def _whose(task: asyncio.Task[object]) -> object:
    """Return the object whose method a task runs."""
    frame = getattr(task.get_coro(), "cr_frame", None)
    return frame.f_locals.get("self") if frame is not None else None


def look_at_coming_errors(producer: AIOKafkaProducer, sent: Sequence[Sent]) -> None:
    """Look at what becomes of batches and offsets that nobody may wait for any more.

    Offsets that were not sent in time have a future that aiokafka shields.
    """
    for *_, future in producer._txn_manager._pending_txn_offsets:  # noqa: SLF001 - as above
        future.add_done_callback(_look)
    for batch in sent:
        batch.future.add_done_callback(_look)


def _look(future: asyncio.Future[object]) -> None:
    if not future.cancelled():
        future.exception()


def _look_at_errors(producer: AIOKafkaProducer) -> None:
    """Look at the futures of a fenced producer that aiokafka fails and nobody awaits.

    Else asyncio complains of each "exception was never retrieved".
    """
    accumulator = producer._message_accumulator  # noqa: SLF001 - as above
    unsent = [batch for batches in accumulator._batches.values() for batch in batches]  # noqa: SLF001 - as above
    unsent += accumulator._pending_batches  # noqa: SLF001 - as above
    waiters = [batch._drain_waiter for batch in unsent]  # noqa: SLF001 - as above
    waiters.append(producer._txn_manager.wait_for_transaction_end())  # noqa: SLF001 - as above
    for waiter in waiters:
        if waiter is not None and waiter.done():
            _look(waiter)
