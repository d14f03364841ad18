"""Is the broker there? Asked every few seconds, so that health checks answer at once."""

import asyncio
from contextlib import suppress

from aiokafka.errors import KafkaError

from jiraiya_events.adapters.kafka.intake import KafkaIntake

EVERY_S = 3.0


class BrokerPulse:
    """Refreshes the consumer's metadata; remembers when that last succeeded."""

    def __init__(self, intake: KafkaIntake) -> None:
        self._intake = intake
        self._heard_at: float | None = None
        self._task: asyncio.Task[None] | None = None

    def silent_s(self) -> float:
        """Return for how long the broker has not answered; 0 before the first question."""
        if self._heard_at is None:
            return 0.0
        return asyncio.get_running_loop().time() - self._heard_at

    def start(self) -> None:
        """Ask from now on."""
        self._heard_at = asyncio.get_running_loop().time()
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Ask no more."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            if await self._answers():
                self._heard_at = asyncio.get_running_loop().time()

    async def _answers(self) -> bool:
        consumer = self._intake.consumer
        if consumer is None:
            return False
        try:
            async with asyncio.timeout(EVERY_S * 2):
                return bool(await consumer._client.force_metadata_update())  # noqa: SLF001
        except (KafkaError, TimeoutError, OSError):
            return False
