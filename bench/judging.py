"""A judge that sees what a `read_committed` consumer of another client library sees, and when."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

from confluent_kafka import Consumer, Message

from bench.broker import Topics
from bench.outcomes import Outcome

PATIENCE_S = 240.0
LOOK_S = 0.05


class Judge:
    """Notes every outcome in the order in which it became visible; one reader at a time."""

    def __init__(self, topics: Topics) -> None:
        self.outcomes: list[Outcome] = []
        self._told = 0
        self._failed = topics.failed
        self._reader: asyncio.Task[None] | None = None
        self._consumer = Consumer(
            {
                "bootstrap.servers": topics.bootstrap,
                "group.id": f"{topics.name}-judge",
                "auto.offset.reset": "earliest",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 20,
            }
        )
        self._consumer.subscribe([topics.generated, topics.failed])

    async def wait_for(self, count: int) -> list[float]:
        """Read until `count` more outcomes are visible; return when (monotonic seconds)."""
        return await asyncio.to_thread(self._wait_for, count)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        """Read in a thread for as long as the block lasts, so that no outcome is noted late."""
        stopped = threading.Event()
        self._reader = asyncio.create_task(asyncio.to_thread(self._read, stopped))
        try:
            yield
        finally:
            stopped.set()
            await self._reader

    async def until(
        self, condition: Callable[[Sequence[Outcome]], bool], what: str, patience_s: float = 60.0
    ) -> None:
        """Wait, while `reading`, for a condition on all outcomes. Raises TimeoutError."""
        assert self._reader is not None
        until = time.monotonic() + patience_s
        while not condition(self.outcomes):
            if self._reader.done():
                self._reader.result()
            if time.monotonic() > until:
                msg = f"not within {patience_s:.0f} s: {what}"
                raise TimeoutError(msg)
            await asyncio.sleep(LOOK_S)

    def close(self) -> None:
        """Leave."""
        self._consumer.close()

    def _wait_for(self, count: int) -> list[float]:
        first, self._told = self._told, self._told + count
        until = time.monotonic() + PATIENCE_S
        while len(self.outcomes) < self._told:
            self._poll()
            if time.monotonic() > until:
                msg = f"{len(self.outcomes) - first} of {count} outcomes after {PATIENCE_S:.0f} s"
                raise TimeoutError(msg)
        return [outcome.at for outcome in self.outcomes[first : self._told]]

    def _read(self, stopped: threading.Event) -> None:
        while not stopped.is_set():
            self._poll()

    def _poll(self) -> None:
        messages = self._consumer.consume(500, 0.1)
        now = time.monotonic()
        for message in messages:
            if message.error() is not None:
                continue
            if message.topic() == self._failed:
                msg = f"a story failed: {message.value()!r}"
                raise RuntimeError(msg)
            self.outcomes.append(_outcome(message, now))


def _outcome(message: Message, now: float) -> Outcome:
    """Read which request this answers from the headers, the same on every side measured."""
    headers = {pair[0]: pair[1] or "" for pair in message.headers() or ()}
    return Outcome(int(headers["x-request-partition"]), int(headers["ce_sequence"]), now)


@contextmanager
def judge(topics: Topics) -> Iterator[Judge]:
    """Give a judge over the outputs of `topics`."""
    watching = Judge(topics)
    try:
        yield watching
    finally:
        watching.close()
