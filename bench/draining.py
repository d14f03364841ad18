"""Draining a topic in a process of its own, and what it took."""

import asyncio
import contextlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from bench.broker import Topics
from bench.children import Child, child

SAMPLE_S = 0.1


@dataclass(frozen=True, slots=True)
class Drained:
    """`commits` are (seconds since the first record, records committed so far)."""

    commits: Sequence[tuple[float, int]]
    cpu_s: float
    peak_mib: float

    @property
    def count(self) -> int:
        """Records committed."""
        return self.commits[-1][1]

    @property
    def seconds(self) -> float:
        """From the first record to the last commit."""
        return self.commits[-1][0]

    @property
    def per_transaction(self) -> int:
        """Records per transaction, on average."""
        return max(1, round(self.count / len(self.commits)))


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
        answer = await running.answer()
        peak.cancel()
        return Drained([tuple(c) for c in answer["commits"]], answer["cpu_s"], await peak)


async def peak_mib(running: Child) -> float:
    """Return the largest resident memory seen until cancelled, in MiB."""
    peak = 0.0
    with contextlib.suppress(asyncio.CancelledError):
        while True:
            peak = max(peak, running.rss_mib())
            await asyncio.sleep(SAMPLE_S)
    return peak
