"""One engine over the log in memory, with a handler and a writer that do as they are told."""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, ParamSpec

from jiraiya_events.adapters.memory.intake import MemoryIntake
from jiraiya_events.adapters.memory.log import MemoryLog
from jiraiya_events.adapters.memory.writer import MemoryWriter
from jiraiya_events.engine.engine import Engine
from jiraiya_events.engine.errors import EngineError
from jiraiya_events.engine.limits import Limits
from jiraiya_events.engine.observer import Observer
from jiraiya_events.engine.records import Committed, Output, Partition, Record
from jiraiya_events.engine.session import Session
from jiraiya_events.engine.verdicts import Done, Verdict, Work
from jiraiya_events.testing.virtual_time import run_virtual

HERE = Partition("in", 0)
OUT = "out"

P = ParamSpec("P")

Behave = Callable[[Work], Awaitable[Verdict]]


def virtual(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run a test on a loop of virtual time."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        run_virtual(test(*args, **kwargs))

    return run


def echo(record: Record) -> Output:
    """Return an output that names its record."""
    return Output(OUT, b"k", b"%d" % record.offset)


async def at_once(work: Work) -> Verdict:
    """Finish without waiting."""
    return Done([echo(work.record)], label=work.record.offset)


class Notes(Observer):
    """Keeps what the engine tells."""

    def __init__(self) -> None:
        self.halts: list[str] = []
        self.failures: list[EngineError] = []
        self.commits: list[list[int]] = []
        self.lost: list[int] = []

    def committed(self, finished: Sequence[tuple[Record, object]], seconds: float) -> None:
        """Keep the offsets."""
        assert seconds >= 0
        self.commits.append([record.offset for record, _ in finished])

    def transaction_failed(self, partition: Partition, error: EngineError) -> None:
        """Keep the error."""
        self.failures.append(error)

    def vanished(self, partition: Partition, offsets: Sequence[int]) -> None:
        """Keep the offsets."""
        self.lost += offsets

    def halted(self, partition: Partition, reason: str) -> None:
        """Keep the reason."""
        self.halts.append(reason)


class TroubledWriter(MemoryWriter):
    """Raises the next of the rig's troubles instead of what it was asked for."""

    def __init__(self, rig: "Rig", partition: Partition) -> None:
        super().__init__(rig.log, partition, delay_s=0.001)
        self._rig = rig

    async def open(self) -> Committed:
        """Open, or fail."""
        self._rig.opens.append(asyncio.get_running_loop().time())
        if self._rig.open_troubles:
            raise self._rig.open_troubles.pop(0)
        return await super().open()

    async def commit(self, outputs: Sequence[Output], committed: Committed) -> None:
        """Commit, or fail before or after it took effect."""
        before, after = self._rig.commit_troubles.pop(0) if self._rig.commit_troubles else (0, 0)
        if isinstance(before, Exception):
            raise before
        await super().commit(outputs, committed)
        self._rig.transactions.append(([o.value for o in outputs], committed))
        if isinstance(after, Exception):
            raise after


class Rig:
    """The engine with everything around it in reach."""

    def __init__(self, behave: Behave = at_once, **limits: float) -> None:
        self.log = MemoryLog(partitions=1)
        self.intake = MemoryIntake(self.log)
        self.notes = Notes()
        self.behave = behave
        self.on_crash: Callable[[Record, Exception], Done] = lambda r, _: Done(
            [Output(OUT, b"k", b"crashed %d" % r.offset)]
        )
        self.crashes: list[Exception] = []
        self.started: list[int] = []
        self.opens: list[float] = []
        self.open_troubles: list[Exception] = []
        self.commit_troubles: list[tuple[object, object]] = []
        self.transactions: list[tuple[list[bytes | None], Committed]] = []
        self.engine = Engine(
            self.intake,
            lambda partition: TroubledWriter(self, partition),
            self,
            limits=Limits(**limits),  # type: ignore[arg-type]
            observer=self.notes,
        )
        self._pump: asyncio.Task[None] | None = None

    async def handle(self, work: Work) -> Verdict:
        """Do as told."""
        self.started.append(work.record.offset)
        return await self.behave(work)

    def crashed(self, work: Work, error: Exception) -> Done:
        """Do as told."""
        self.crashes.append(error)
        return self.on_crash(work.record, error)

    def add(self, *keys: bytes | None, partition: Partition = HERE, gap: int = 0) -> None:
        """Append a record for each key."""
        for key in keys:
            self.log.append(partition, key, b"v" * 10, gap=gap)

    def assign(self, *partitions: Partition) -> None:
        """Rebalance to exactly these."""
        self.engine.revoke(self.intake.assigned)
        self.intake.assign(partitions)
        self.engine.assign(partitions)

    async def start(self, *partitions: Partition) -> None:
        """Begin to read, and let half a second pass."""
        self._pump = asyncio.get_running_loop().create_task(self.intake.run(self.engine.accept))
        self.assign(*(partitions or (HERE,)))
        await asyncio.sleep(0.5)

    async def stop(self, drain_s: float = 1) -> None:
        """End everything."""
        await self.engine.stop(drain_s)
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.wait([self._pump])

    @property
    def session(self) -> Session:
        """Return the session of the one partition."""
        return self.engine._sessions[HERE]

    @property
    def published(self) -> list[bytes | None]:
        """Return the outputs' values."""
        return [r.value for r in self.log.records.get(Partition(OUT, 0), [])]

    @property
    def committed(self) -> Committed:
        """Return what is committed for the one partition."""
        return self.log.committed.get(HERE, Committed(None))
