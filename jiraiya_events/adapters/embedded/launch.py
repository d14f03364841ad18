"""One start of the broker, tried again when a port is snatched away."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jiraiya_events.adapters.embedded import data_dir, jvm, startup_cache
from jiraiya_events.adapters.embedded.errors import EmbeddedKafkaError, PortTakenError
from jiraiya_events.adapters.embedded.failure import could_not_bind, explain_death
from jiraiya_events.adapters.embedded.guarded import GuardedProcess, spawn
from jiraiya_events.adapters.embedded.ports import CONTROLLERS_ALONE, HOST, free_port, is_free
from jiraiya_events.adapters.embedded.ready import answered_or_exited, wait_until_listed
from jiraiya_events.adapters.embedded.unregister import wait_until_unregistered

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from jiraiya_events.adapters.embedded.folder import DataFolder
    from jiraiya_events.adapters.embedded.installation import Installation

_TRIES = 4


@dataclass(frozen=True, slots=True)
class Launch:
    """What one broker is started with, the port aside."""

    installation: Installation
    folder: DataFolder
    properties: Mapping[str, str]
    heap_mb: int
    timeout_s: float

    @property
    def log(self) -> Path:
        """The file the JVM's output goes to."""
        return self.folder.path / data_dir.LOG_NAME

    async def run(self, port: int) -> tuple[GuardedProcess, int]:
        """Start a broker on ``port``, 0 for any; return it, ready, with its port.

        Raises:
            PortTakenError: ``port`` is not 0, and not free.
            EmbeddedKafkaError: the broker died or did not get ready in time.
        """
        for _ in range(_TRIES):
            chosen = port or free_port()
            if not is_free(chosen):
                raise PortTakenError(chosen)
            process = await self._run_once(chosen)
            if process is not None:
                return process, chosen
        message = f"The embedded Kafka found its ports taken {_TRIES} times: try again."
        raise EmbeddedKafkaError(message)

    async def _run_once(self, port: int) -> GuardedProcess | None:
        """Start a broker and wait until it is ready; ``None`` when it could not listen."""
        data_dir.prepare(self.folder.path, port, free_port(besides=port), self.properties)
        try:
            async with asyncio.timeout(self.timeout_s):
                if data_dir.has_crashed(self.folder.path) and not await self._unregister():
                    return None
                return await self._start(data_dir.SERVER_PROPERTIES, wait_until_listed, port)
        except TimeoutError:
            raise self._too_slow() from None

    async def _unregister(self) -> bool:
        """Take the dead broker out of the cluster; false when the controller could not listen."""
        port = free_port(among=CONTROLLERS_ALONE)
        data_dir.prepare_controller(self.folder.path, port)
        controller = await self._start(
            data_dir.CONTROLLER_PROPERTIES, wait_until_unregistered, port
        )
        if controller is None:
            return False
        # It has answered, so what it noted outlives it: nothing is gained by a gentle stop.
        await controller.kill()
        return True

    async def _start(
        self, settings: str, answer: Callable[[str, int], Awaitable[None]], port: int
    ) -> GuardedProcess | None:
        """Start Kafka and wait for its answer; ``None`` when it could not listen."""
        offset = self.log.stat().st_size if self.log.exists() else 0
        process = await self._spawn(settings)
        try:
            answered = await answered_or_exited(process, answer(HOST, port))
        except BaseException:
            await process.kill()
            raise
        if answered:
            return process
        code = await process.wait()
        if could_not_bind(self.log, offset):
            return None
        raise explain_death(code, self._lasting_log(), offset)

    async def _spawn(self, settings: str) -> GuardedProcess:
        installation = self.installation
        return await spawn(
            jvm.kafka_command(
                installation.java,
                installation.jars,
                self.heap_mb,
                settings,
                startup_cache.use_flags(installation.startup_cache),
            ),
            folder=self.folder.path,
            log=self.log,
            remove_when_abandoned=self.folder.path if self.folder.temporary else None,
        )

    def _too_slow(self) -> EmbeddedKafkaError:
        return EmbeddedKafkaError(
            f"The embedded Kafka was not ready within {self.timeout_s:g} s: the machine may be "
            f"overloaded, try again, or read {self._lasting_log()}."
        )

    def _lasting_log(self) -> Path:
        """Return the log, copied elsewhere if it is about to go with a temporary folder."""
        if not self.folder.temporary:
            return self.log
        descriptor, copy = tempfile.mkstemp(prefix="jiraiya-kafka-", suffix=".log")
        os.close(descriptor)
        return Path(shutil.copyfile(self.log, copy))
