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
from jiraiya_events.adapters.embedded.ports import HOST, free_port, is_free
from jiraiya_events.adapters.embedded.ready import listed_or_exited

if TYPE_CHECKING:
    from collections.abc import Mapping

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
        offset = self.log.stat().st_size if self.log.exists() else 0
        process = await self._spawn()
        try:
            async with asyncio.timeout(self.timeout_s):
                ready = await listed_or_exited(process, HOST, port)
        except TimeoutError:
            await process.kill()
            raise self._too_slow() from None
        except asyncio.CancelledError:
            await process.kill()
            raise
        if ready:
            return process
        code = await process.wait()
        if could_not_bind(self.log, offset):
            return None
        raise explain_death(code, self._lasting_log(), offset)

    async def _spawn(self) -> GuardedProcess:
        installation = self.installation
        return await spawn(
            jvm.broker_command(
                installation.java,
                installation.jars,
                self.heap_mb,
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
