"""Requests that keep coming while something is measured."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from confluent_kafka import Producer

from bench.broker import Topics, flush
from bench.judging import Judge

TICK_S = 0.02

Due = Callable[[], int]
"""How many requests should have been published by now, in all."""


class Load:
    """Publishes numbered requests as they become due."""

    def __init__(self, topics: Topics) -> None:
        self.published = 0
        self._topics = topics
        self._producer = Producer({"bootstrap.servers": topics.bootstrap, "linger.ms": 1})

    async def keep_up(self, due: Due) -> None:
        """Publish what is due, for ever."""
        while True:
            for number in range(self.published, due()):
                self._topics.produce(self._producer, number)
                self.published += 1
            self._producer.poll(0)
            await asyncio.sleep(TICK_S)

    async def finish(self) -> None:
        """Wait until the broker has everything."""
        await asyncio.to_thread(flush, self._producer)


@asynccontextmanager
async def load(topics: Topics, due: Due) -> AsyncIterator[Load]:
    """Publish what is due for as long as the block lasts; all of it has arrived afterwards."""
    publishing = Load(topics)
    task = asyncio.create_task(publishing.keep_up(due))
    try:
        yield publishing
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()
        await publishing.finish()


def steadily(per_second: float) -> Due:
    """Return so many requests a second from now on: what was missed is made up for."""
    started = time.monotonic()
    return lambda: int((time.monotonic() - started) * per_second)


def waiting(depth: int, watching: Judge) -> Due:
    """Return `depth` requests that wait all the time: each outcome is replaced."""
    return lambda: depth + len(watching.outcomes)
