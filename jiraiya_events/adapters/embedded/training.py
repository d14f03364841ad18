"""Training the start-up cache, beside the broker and never in its way.

The JVM can train while it serves, but then it writes the cache when it is told to stop, and
a stop takes many seconds instead of a third of one. So a second, throw-away broker is
trained at the lowest priority while the real one runs. It ends with its owner; two steps
with a file in between let a short run leave the second one to the next.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jiraiya_events.adapters.embedded import data_dir, jvm, startup_cache
from jiraiya_events.adapters.embedded.errors import EmbeddedKafkaError
from jiraiya_events.adapters.embedded.guarded import spawn
from jiraiya_events.adapters.embedded.ports import HOST, free_port
from jiraiya_events.adapters.embedded.ready import answered_or_exited, wait_until_listed
from jiraiya_events.adapters.exclusive import try_exclusive

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from jiraiya_events.adapters.embedded.guarded import GuardedProcess
    from jiraiya_events.adapters.embedded.java import Java

_LOG = logging.getLogger(__name__)
_PATIENCE_S = 300.0


@dataclass(frozen=True, slots=True)
class Training:
    """One cache to train: for this JVM and class path."""

    cache: Path
    java: Java
    jars: Sequence[Path]
    heap_mb: int

    async def run(self) -> None:
        """Train unless somebody else does; a failure is a line in the log, no more."""
        try:
            with try_exclusive(self.cache.with_suffix(".lock")) as held:
                if held and not self.cache.exists():
                    await self._train()
        except (OSError, TimeoutError, EmbeddedKafkaError) as error:
            _LOG.debug("the start-up cache %s was not trained: %r", self.cache, error)

    async def _train(self) -> None:
        recording = self.cache.with_suffix(".recording")
        with tempfile.TemporaryDirectory(
            prefix="jiraiya-training-", ignore_cleanup_errors=True
        ) as folder:
            async with asyncio.timeout(_PATIENCE_S):
                if not recording.exists():
                    await self._record(Path(folder), recording)
                await self._assemble(Path(folder), recording)
        _discard(recording)
        startup_cache.prune(self.cache.parent)

    async def _record(self, folder: Path, recording: Path) -> None:
        """Step one: run a broker and write down what it loads."""
        draft, port = recording.with_suffix(".recording-draft"), free_port()
        data_dir.prepare(folder, port, free_port(besides=port), {})
        flags = ("-XX:AOTMode=record", f"-XX:AOTConfiguration={draft}")
        command = jvm.kafka_command(
            self.java, self.jars, self.heap_mb, data_dir.SERVER_PROPERTIES, flags
        )
        async with _throwaway(command, folder) as process:
            if await answered_or_exited(process, wait_until_listed(HOST, port)):
                await process.terminate(_PATIENCE_S)
        _publish(draft, recording)

    async def _assemble(self, folder: Path, recording: Path) -> None:
        """Step two: build the cache from the record."""
        draft = self.cache.with_suffix(".aot-draft")
        command = [
            str(self.java.executable),
            *jvm.SHAPE,
            "-XX:AOTMode=create",
            f"-XX:AOTConfiguration={recording}",
            f"-XX:AOTCache={draft}",
            *("-cp", jvm.class_path(self.jars)),
        ]
        async with _throwaway(command, folder) as process:
            code = await process.wait()
        if code != 0:
            _discard(recording)
        _publish(draft, self.cache)


@asynccontextmanager
async def _throwaway(command: Sequence[str], folder: Path) -> AsyncIterator[GuardedProcess]:
    process = await spawn(
        command,
        folder=folder,
        log=folder / data_dir.LOG_NAME,
        remove_when_abandoned=folder,
        low_priority=True,
    )
    try:
        yield process
    finally:
        await process.kill()


def _discard(recording: Path) -> None:
    """Delete a record that was used, or that would fail again each time."""
    recording.unlink(missing_ok=True)


def _publish(draft: Path, final: Path) -> None:
    """Give a finished file its name in one step: other processes look for it."""
    if not draft.exists():
        message = f"the JVM wrote no {final.name}"
        raise EmbeddedKafkaError(message)
    draft.replace(final)
