"""The engine's writer port over the log in memory."""

import asyncio
from collections.abc import Sequence

from jiraiya_events.adapters.memory.log import MemoryLog
from jiraiya_events.engine.errors import WriterFailed
from jiraiya_events.engine.records import Committed, Output, Partition


class MemoryWriter:
    """One epoch of a partition's writer; `delay_s` is what a round trip takes."""

    def __init__(self, log: MemoryLog, partition: Partition, *, delay_s: float = 0.0) -> None:
        self._log = log
        self._partition = partition
        self._delay_s = delay_s
        self._epoch: int | None = None

    async def open(self) -> Committed:
        """Fence older epochs, then read what is committed."""
        await asyncio.sleep(self._delay_s)
        self._epoch = self._log.new_epoch(self._partition)
        await asyncio.sleep(self._delay_s)
        return self._log.committed.get(self._partition, Committed(None))

    async def commit(self, outputs: Sequence[Output], committed: Committed) -> None:
        """Publish and store progress at once."""
        if self._epoch is None:
            msg = "the writer is not open"
            raise WriterFailed(msg)
        await asyncio.sleep(self._delay_s)
        self._log.commit(self._partition, self._epoch, list(outputs), committed)

    async def close(self) -> None:
        """Let go."""
        self._epoch = None
