"""A group member over the log in memory: reads its assignment in turn, one record a step."""

import asyncio
from collections.abc import Callable, Iterable

from jiraiya_events.adapters.memory.log import MemoryLog
from jiraiya_events.engine.records import Partition, Record


class MemoryIntake:
    """The engine's intake port, and the pump that delivers to it.

    `deliver` is called from `run`'s task, one record at a time, never for a paused partition.
    """

    def __init__(self, log: MemoryLog, *, delay_s: float = 0.05) -> None:
        self._log = log
        self._delay_s = delay_s
        self._positions: dict[Partition, int] = {}
        self._paused: set[Partition] = set()

    def assign(self, partitions: Iterable[Partition]) -> None:
        """Replace the assignment; positions start at 0, pauses are forgotten."""
        self._positions = dict.fromkeys(partitions, 0)
        self._paused.clear()

    @property
    def assigned(self) -> set[Partition]:
        """Return the partitions of the current assignment."""
        return set(self._positions)

    def pause(self, partition: Partition) -> None:
        """Stop delivering."""
        if partition in self._positions:
            self._paused.add(partition)

    def resume(self, partition: Partition) -> None:
        """Deliver again."""
        self._paused.discard(partition)

    def seek(self, partition: Partition, offset: int) -> None:
        """Deliver from `offset` on."""
        if partition in self._positions:
            self._positions[partition] = offset

    async def beginning(self, partition: Partition) -> int:
        """Return the first offset the log still has."""
        return self._log.beginning(partition)

    async def position(self, partition: Partition) -> int | None:
        """Return the next offset to be delivered, markers at the end passed over."""
        position = self._positions.get(partition)
        if position is None or self._log.read(partition, position):
            return position
        return max(position, self._log.ends.get(partition, 0))

    def step(self) -> Record | None:
        """Return the next record of the next partition that has one."""
        for partition in list(self._positions):
            position = self._positions.pop(partition)
            self._positions[partition] = position  # the next step starts behind it
            record = None if partition in self._paused else self._log.read(partition, position)
            if record is not None:
                self._positions[partition] = record.offset + 1
                return record
        return None

    async def run(self, deliver: Callable[[Record], None]) -> None:
        """Deliver until cancelled."""
        while True:
            record = self.step()
            if record is None:
                await asyncio.sleep(self._delay_s)
            else:
                deliver(record)
                await asyncio.sleep(0)
