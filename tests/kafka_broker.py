"""Pytest plugin: one real Apache Kafka for a whole test run, and private ones to break.

``kafka_bootstrap`` is the address of the shared broker. ``JIRAIYA_TEST_KAFKA`` names an
external one, or ``redpanda`` for one in a container (testcontainers); else an embedded one is
started when the first test asks for it. Under pytest-xdist the *controller* owns it, since it
outlives every worker: workers ask it for the address over a loopback socket. ``own_kafka`` is a
broker of the test's own.
"""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
import pytest_asyncio

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine
    from pathlib import Path

    from jiraiya_events.adapters.embedded import EmbeddedKafka
    from tests.redpanda_broker import RedpandaBroker

T = TypeVar("T")

EXTERNAL = "JIRAIYA_TEST_KAFKA"
REDPANDA = "redpanda"
_DESK = "jiraiya_kafka_desk"
_HOST = "127.0.0.1"
_START_TIMEOUT_S = 110.0
_STOP_TIMEOUT_S = 30.0


class SharedBroker:
    """A broker that starts when it is first asked for, on an event loop of its own."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._starting: asyncio.Task[EmbeddedKafka | RedpandaBroker] | None = None
        self._desk: asyncio.Server | None = None

    def bootstrap(self) -> str:
        """Return the broker's address, starting it if nobody has."""
        return self._run(self._address(), _START_TIMEOUT_S)

    def open_desk(self) -> int:
        """Open the socket at which workers ask for the address; return its port."""
        return self._run(self._open_desk(), _STOP_TIMEOUT_S)

    def close(self) -> None:
        """Stop what was started."""
        if self._loop is None or self._thread is None:
            return
        self._run(self._close(), _STOP_TIMEOUT_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._loop = self._thread = None

    def _run(self, work: Coroutine[Any, Any, T], timeout_s: float) -> T:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(
                target=self._loop.run_forever, name="shared-kafka", daemon=True
            )
            self._thread.start()
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout_s)

    async def _address(self) -> str:
        if self._starting is None:
            self._starting = asyncio.create_task(_start_broker())
        # Shielded: whoever gives up waiting must not cancel it for the others. A failure
        # stays in the task and is everybody's.
        return (await asyncio.shield(self._starting)).bootstrap_servers

    async def _open_desk(self) -> int:
        if self._desk is None:
            self._desk = await asyncio.start_server(self._answer, _HOST, 0)
        port: int = self._desk.sockets[0].getsockname()[1]
        return port

    async def _answer(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            answer = f"ok {await self._address()}"
        except Exception as error:  # noqa: BLE001 - the worker is to show it, whatever it is
            answer = f"error {error}"
        writer.write(answer.encode())
        writer.close()
        await writer.wait_closed()

    async def _close(self) -> None:
        if self._desk is not None:
            self._desk.close()
            await self._desk.wait_closed()
        if self._starting is not None:
            self._starting.cancel()
            (outcome,) = await asyncio.gather(self._starting, return_exceptions=True)
            if not isinstance(outcome, BaseException):
                await outcome.stop()


async def _start_broker() -> EmbeddedKafka | RedpandaBroker:
    # Imported here: a run of unit tests loads this plugin too.
    if os.environ.get(EXTERNAL) == REDPANDA:
        from tests.redpanda_broker import RedpandaBroker  # noqa: PLC0415

        redpanda = RedpandaBroker()
        await redpanda.start()
        return redpanda
    from jiraiya_events.adapters.embedded import EmbeddedKafka  # noqa: PLC0415

    kafka = EmbeddedKafka()
    await kafka.start()
    return kafka


def _ask_controller(port: int) -> str:
    with (
        socket.create_connection((_HOST, port), timeout=_START_TIMEOUT_S) as connection,
        connection.makefile("r", encoding="utf-8") as answer,
    ):
        word, _, text = answer.read().partition(" ")
    if word != "ok":
        pytest.fail(f"the shared Kafka did not start: {text}", pytrace=False)
    return text


_BROKER = pytest.StashKey[SharedBroker]()


def pytest_configure(config: pytest.Config) -> None:
    """Make the broker's owner in the process that outlives all tests."""
    if not hasattr(config, "workerinput"):
        config.stash[_BROKER] = SharedBroker()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell an xdist worker where to ask."""
    node.workerinput[_DESK] = node.config.stash[_BROKER].open_desk()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the broker when all tests of all workers are over."""
    broker = config.stash.get(_BROKER, None)
    if broker is not None:
        broker.close()


@pytest.fixture(scope="session")
def kafka_bootstrap(pytestconfig: pytest.Config) -> str:
    """Address of the broker all tests share: use topics and groups of your own."""
    external = os.environ.get(EXTERNAL)
    if external and external != REDPANDA:
        return external
    workerinput = getattr(pytestconfig, "workerinput", None)
    if workerinput is not None:
        return _ask_controller(workerinput[_DESK])
    return pytestconfig.stash[_BROKER].bootstrap()


@pytest_asyncio.fixture
async def own_kafka(tmp_path: Path) -> AsyncIterator[EmbeddedKafka]:
    """Give the test a running broker of its own, to kill and restart.

    Its log stays in the test's folder, for when it is needed.
    """
    from jiraiya_events.adapters.embedded import (  # noqa: PLC0415 - as above
        EmbeddedKafka,
        EmbeddedKafkaOptions,
    )

    options = EmbeddedKafkaOptions(data_dir=tmp_path / "kafka", train_startup_cache=False)
    async with EmbeddedKafka(options) as kafka:
        yield kafka
