"""Draining a topic in a process of its own, and what it took."""

import asyncio
import contextlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bench.broker import Topics
from bench.children import Child, child

SAMPLE_S = 0.1


class Commit(NamedTuple):
    """What was reached with a transaction: since the first record, in all."""

    seconds: float
    records: int
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Drained:
    """One drain, transaction by transaction."""

    commits: Sequence[Commit]
    peak_mib: float

    @property
    def count(self) -> int:
        """Records committed."""
        return self.commits[-1].records

    @property
    def seconds(self) -> float:
        """From the first record to the last commit."""
        return self.commits[-1].seconds

    @property
    def cpu_s(self) -> float:
        """CPU, user and system, from the first record to the last commit."""
        return self.commits[-1].cpu_s

    @property
    def per_transaction(self) -> int:
        """Records per transaction, on average."""
        return max(1, round(self.count / len(self.commits)))

    def share(self, start: float, end: float) -> Commit:
        """Return what lies between two shares (0 to 1) of the records."""
        points = [Commit(0.0, 0, 0.0), *self.commits]
        first = next(point for point in points if point.records >= start * self.count)
        last = next(point for point in points if point.records >= end * self.count)
        return Commit(
            last.seconds - first.seconds, last.records - first.records, last.cpu_s - first.cpu_s
        )


async def drain(topics: Topics, side: str, count: int, *, batch: int = 0) -> Drained:
    """Drain all `count` records of `topics` anew with a group of its own."""
    task = {
        "side": side,
        "bootstrap": topics.bootstrap,
        "group": f"{topics.name}-{side}-{uuid.uuid4().hex[:8]}",
        "source": topics.requested,
        "target": topics.generated,
        "partitions": topics.partitions,
        "count": count,
        "batch": batch,
    }
    async with child("bench.programs.drains", [json.dumps(task)]) as running:
        peak = asyncio.create_task(peak_mib(running))
        try:
            answer = await running.answer()
        finally:
            peak.cancel()
        return Drained([Commit(*c) for c in answer["commits"]], await peak)


async def peak_mib(running: Child) -> float:
    """Return the largest resident memory seen until cancelled, in MiB."""
    peak = 0.0
    with contextlib.suppress(asyncio.CancelledError):
        while True:
            peak = max(peak, running.rss_mib())
            await asyncio.sleep(SAMPLE_S)
    return peak
