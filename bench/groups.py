"""Two groups of two replicas on topics of six partitions: the service, and the plain loop."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from bench.broker import Topics
from bench.children import Child, child
from bench.judging import Judge, judge
from bench.load import load, steadily
from bench.outcomes import answered, doubled, firsts
from bench.running import endpoint, free_port, ready, service_settings

PARTITIONS = 6
PER_SECOND = 60.0
"""Requests published to each group: what one replica alone can carry."""
LATENCY_S = 0.2
START_PATIENCE_S = 120.0
DOUBLES_S = 1.0
"""How long to look for outcomes too many once every request has one."""

Start = Callable[[], AbstractAsyncContextManager[Child]]


class Replica:
    """A member of a group that ends the one way or the other and is started anew."""

    def __init__(self, start: Start) -> None:
        self._start = start
        self._life = AsyncExitStack()
        self._child: Child | None = None

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop; an error takes the process's last words with it."""
        await self._life.__aexit__(kind, error, trace)

    async def start(self) -> None:
        """Start a new process; it has been assigned its partitions when this returns."""
        self._child = await self._life.enter_async_context(self._start())

    async def kill(self) -> None:
        """`kill -9`."""
        assert self._child is not None
        await self._child.kill()
        await self._life.aclose()

    async def stop(self) -> None:
        """SIGTERM, and wait for the end."""
        await self._life.aclose()


@dataclass(slots=True)
class Account:
    """What became of the requests, known when a group has ended."""

    requests: int = 0
    lost: int = 0
    doubled: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """Two replicas at work."""

    replicas: tuple[Replica, Replica]
    watching: Judge
    account: Account = field(default_factory=Account)

    async def all_heard(self) -> None:
        """Wait until every partition has an outcome that is later than now."""
        await self.heard(set(range(PARTITIONS)), time.monotonic())

    async def heard(self, partitions: set[int], start: float) -> dict[int, float]:
        """Return when each of `partitions` was heard of first after `start`."""
        await self.watching.until(
            lambda seen: len(firsts(seen, partitions, start)) == len(partitions),
            f"an outcome of each of {partitions}",
            START_PATIENCE_S,
        )
        return firsts(self.watching.outcomes, partitions, start)


@asynccontextmanager
async def service_group(bootstrap: str) -> AsyncIterator[Group]:
    """Give two replicas of the service with one result store, under a steady load."""
    topics = await Topics.create(bootstrap, PARTITIONS)
    with TemporaryDirectory() as folder:
        async with endpoint({"seconds": LATENCY_S}) as base_url:
            start = partial(_serving, topics, base_url, folder)
            async with _group(topics, start) as group:
                yield group


@asynccontextmanager
async def plain_group(bootstrap: str) -> AsyncIterator[Group]:
    """Give two members of the plain loop, under a steady load."""
    topics = await Topics.create(bootstrap, PARTITIONS)
    async with _group(topics, partial(_looping, topics)) as group:
        yield group


@asynccontextmanager
async def _group(topics: Topics, start: Start) -> AsyncIterator[Group]:
    replicas = (Replica(start), Replica(start))
    async with AsyncExitStack() as ending:
        watching = ending.enter_context(judge(topics))
        await ending.enter_async_context(watching.reading())
        for replica in replicas:
            await ending.enter_async_context(replica)
        group = Group(replicas, watching)
        async with load(topics, steadily(PER_SECOND)) as publishing:
            await group.all_heard()
            yield group
        await _settle(group, publishing.published)


async def _settle(group: Group, requests: int) -> None:
    """Wait for what is still missing, and a moment longer for what there should not be."""
    account, watching = group.account, group.watching
    account.requests = requests
    with contextlib.suppress(TimeoutError):
        await watching.until(lambda seen: answered(seen) >= requests, "every outcome")
    await asyncio.sleep(DOUBLES_S)
    account.lost = requests - answered(watching.outcomes)
    account.doubled = doubled(watching.outcomes)


@asynccontextmanager
async def _serving(topics: Topics, base_url: str, folder: str) -> AsyncIterator[Child]:
    port = free_port()
    settings = service_settings(topics, base_url, folder, port)
    async with child("jiraiya_events", ["serve"], settings) as running:
        await ready(port)
        yield running


@asynccontextmanager
async def _looping(topics: Topics) -> AsyncIterator[Child]:
    arguments = (topics.bootstrap, topics.name, topics.requested, topics.generated)
    async with child("bench.programs.plain_member", arguments) as running:
        await running.answer()
        yield running
