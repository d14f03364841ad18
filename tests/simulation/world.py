"""A small world to test the engine in: a log, members that come and go, and bad luck."""

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from jiraiya_events.adapters.memory.intake import MemoryIntake
from jiraiya_events.adapters.memory.log import MemoryLog
from jiraiya_events.adapters.memory.writer import MemoryWriter
from jiraiya_events.engine.engine import Engine
from jiraiya_events.engine.errors import WriterFailed
from jiraiya_events.engine.limits import Limits
from jiraiya_events.engine.records import Committed, Output, Partition, Record
from jiraiya_events.engine.verdicts import Done, Park, Retry, Verdict, Work

TOPIC = "in"
OUT = "out"


@dataclass(frozen=True, slots=True)
class Luck:
    """How often what goes wrong, as probabilities."""

    commit_lost: float = 0.0
    commit_unheard: float = 0.0
    retry: float = 0.0
    park: float = 0.0
    crash: float = 0.0


class UnluckyWriter(MemoryWriter):
    """Fails before or after its commit took effect, as a network does."""

    def __init__(
        self, log: MemoryLog, partition: Partition, rng: random.Random, luck: Luck
    ) -> None:
        super().__init__(log, partition, delay_s=rng.uniform(0.001, 0.05))
        self._rng = rng
        self._luck = luck

    async def commit(self, outputs: Sequence[Output], committed: Committed) -> None:
        dice = self._rng.random()
        if dice < self._luck.commit_lost:
            await asyncio.sleep(self._delay_s)
            raise WriterFailed("lost on the way there")
        await super().commit(outputs, committed)
        if dice < self._luck.commit_lost + self._luck.commit_unheard:
            raise WriterFailed("lost on the way back")


@dataclass
class RandomHandler:
    """Takes a random time, sometimes says "later", sometimes crashes; echoes the record."""

    rng: random.Random
    luck: Luck
    running: dict[tuple[int, bytes], int] = field(default_factory=dict)
    tries_seen: dict[tuple[int, int], list[int]] = field(default_factory=dict)

    async def handle(self, work: Work) -> Verdict:
        record = work.record
        lane = (record.partition, record.key) if record.key else None
        if lane:
            self.running[lane] = self.running.get(lane, 0) + 1
            assert self.running[lane] == 1, f"{lane} is in flight twice"
        try:
            await asyncio.sleep(self.rng.expovariate(5))
        finally:
            if lane:
                self.running[lane] -= 1
        self.tries_seen.setdefault((record.partition, record.offset), []).append(work.tries)
        return self._verdict(work)

    def _verdict(self, work: Work) -> Verdict:
        dice = self.rng.random()
        if dice < self.luck.retry and work.tries < 3:
            work.tries += 1
            return Retry(self.rng.uniform(0, 2))
        if dice < self.luck.retry + self.luck.park:
            return Park(self.rng.uniform(0, 5))
        if dice < self.luck.retry + self.luck.park + self.luck.crash:
            raise ValueError("a bug")
        return Done([echo(work.record)])

    def crashed(self, work: Work, error: Exception) -> Done:
        return Done([echo(work.record)])


def echo(record: Record) -> Output:
    """Return an output that names its record."""
    return Output(OUT, record.key, f"{record.partition}:{record.offset}".encode())


class Member:
    """One process: an engine, its intake, and a sudden end."""

    def __init__(self, log: MemoryLog, rng: random.Random, luck: Luck, limits: Limits) -> None:
        self.intake = MemoryIntake(log)
        self.handler = RandomHandler(rng, luck)
        self.engine = Engine(
            self.intake,
            lambda partition: UnluckyWriter(log, partition, rng, luck),
            self.handler,
            limits=limits,
        )
        self._before = asyncio.all_tasks()
        self.pump = asyncio.get_running_loop().create_task(self.intake.run(self.engine.accept))

    def assign(self, partitions: set[Partition]) -> None:
        """Rebalance, as the group would."""
        self.engine.revoke(set(self.intake.assigned))
        self.intake.assign(sorted(partitions))
        self.engine.assign(partitions)

    async def stop(self) -> None:
        """Leave in good order."""
        await self.engine.stop(drain_s=1)
        await self._end_pump()

    async def kill(self) -> None:
        """End as `kill -9` does: nothing more is said to the log."""
        await self._end_pump()
        self.engine._dispatcher.stop()
        for worker in self.engine._dispatcher.workers:
            worker.cancel()
        for session in self.engine._all_sessions():
            session.close()
        for _, task in self.engine._loops.values():
            task.cancel()
        await asyncio.sleep(0)

    async def _end_pump(self) -> None:
        self.pump.cancel()
        with suppress(asyncio.CancelledError):
            await self.pump


def judge(log: MemoryLog, inputs: dict[Partition, list[Record]]) -> list[str]:
    """Return what is wrong with the outputs: lost, doubled, or out of a key's order."""
    seen: dict[bytes, int] = {}
    wrong: list[str] = []
    last: dict[tuple[bytes, bytes], int] = {}
    for partition, records in log.records.items():
        if partition.topic != OUT:
            continue
        for record in records:
            value = record.value or b""
            seen[value] = seen.get(value, 0) + 1
            source, _, offset = value.partition(b":")
            if record.key is not None:
                lane = (source, record.key)
                if last.get(lane, -1) >= int(offset):
                    wrong.append(f"order: {value!r} after {last[lane]} for {lane}")
                last[lane] = int(offset)
    for records in inputs.values():
        for record in records:
            count = seen.get(f"{record.partition}:{record.offset}".encode(), 0)
            if count != 1:
                wrong.append(f"{record.partition}:{record.offset} has {count} outputs")
    return wrong
