"""An Apache Kafka of one's own: started, stopped, killed and restarted from Python."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

from jiraiya_events.adapters.embedded.errors import EmbeddedKafkaError
from jiraiya_events.adapters.embedded.folder import DataFolder
from jiraiya_events.adapters.embedded.installation import install
from jiraiya_events.adapters.embedded.launch import Launch
from jiraiya_events.adapters.embedded.options import EmbeddedKafkaOptions
from jiraiya_events.adapters.embedded.ports import HOST
from jiraiya_events.adapters.embedded.training import Training

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from jiraiya_events.adapters.embedded.guarded import GuardedProcess

STARTING = "Starting Apache Kafka"
_STOP_PATIENCE_S = 20.0


class EmbeddedKafka:
    """A single-node Apache Kafka that dies with this process.

    Usable as ``async with EmbeddedKafka() as kafka``. All methods belong to one event loop.
    """

    def __init__(
        self,
        options: EmbeddedKafkaOptions | None = None,
        *,
        on_progress: Callable[[str, int, int], None] | None = None,
    ) -> None:
        """Prepare; nothing is touched before `start`.

        ``on_progress`` hears of the phase in words, of what is done and of the total:
        bytes while downloading, 0 and then 1 of 1 while starting.
        """
        self._options = options or EmbeddedKafkaOptions()
        self._on_progress = on_progress
        self._port = self._options.port
        self._launch: Launch | None = None
        self._process: GuardedProcess | None = None
        self._training: asyncio.Task[None] | None = None

    @property
    def bootstrap_servers(self) -> str:
        """``host:port`` for clients; stays the same over `restart`."""
        if self._port == 0:
            raise _not_started()
        return f"{HOST}:{self._port}"

    @property
    def pid(self) -> int | None:
        """The JVM's process id; ``None`` while there is no JVM."""
        return None if self._process is None else self._process.pid

    @property
    def log_path(self) -> Path:
        """The file with everything the broker says."""
        if self._launch is None:
            raise _not_started()
        return self._launch.log

    async def start(self) -> None:
        """Start the broker and return once it answers; does nothing when it runs.

        Raises:
            EmbeddedKafkaError: it cannot start; the message says why and what to do.
        """
        if self.pid is not None:
            return
        try:
            await self._start()
        except OSError as error:
            await self.stop()
            message = f"The embedded Kafka's folder cannot be used: {error}."
            raise EmbeddedKafkaError(message) from error
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop the broker cleanly; remove its data folder if that was a temporary one."""
        await self._stop_training()
        if self._process is not None:
            await self._process.terminate(_STOP_PATIENCE_S)
            self._process = None
        launch, self._launch = self._launch, None
        if launch is not None:
            await asyncio.to_thread(launch.folder.release)
            self._port = self._options.port

    async def kill(self) -> None:
        """End the broker as a crash would (SIGKILL); its data stays until `stop`."""
        if self._process is not None:
            await self._process.kill()

    async def restart(self) -> None:
        """Start again on the same port with the same data, after a clean stop if it runs."""
        if self._process is not None:
            await self._process.terminate(_STOP_PATIENCE_S)
            self._process = None
        await self.start()

    async def wait_exited(self) -> int:
        """Wait until the JVM has exited, for whatever reason; negative for a signal."""
        if self._process is None:
            raise _not_started()
        return await self._process.wait()

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop."""
        await self.stop()

    async def _start(self) -> None:
        if self._launch is None:
            self._launch = await self._prepare()
        self._tell(0)
        self._process, self._port = await self._launch.run(self._port)
        self._tell(1)
        self._start_training(self._launch)

    async def _prepare(self) -> Launch:
        installation = await install(self._options, self._on_progress)
        return Launch(
            installation=installation,
            folder=DataFolder.claim(self._options.data_dir),
            properties=self._options.properties,
            heap_mb=self._options.heap_mb,
            timeout_s=self._options.start_timeout_s,
        )

    def _start_training(self, launch: Launch) -> None:
        cache = launch.installation.startup_cache
        wanted = self._options.train_startup_cache and self._training is None
        if not wanted or cache is None or cache.exists():
            return
        training = Training(
            cache, launch.installation.java, launch.installation.jars, self._options.heap_mb
        )
        self._training = asyncio.create_task(training.run())

    async def _stop_training(self) -> None:
        training, self._training = self._training, None
        if training is not None:
            training.cancel()
            await asyncio.gather(training, return_exceptions=True)

    def _tell(self, done: int) -> None:
        if self._on_progress is not None:
            self._on_progress(STARTING, done, 1)


def _not_started() -> EmbeddedKafkaError:
    return EmbeddedKafkaError("The embedded Kafka is not running: start it first.")
