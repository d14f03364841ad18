"""Forgetting a user in Redis while the service works for them: nothing is lost sight of."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from jiraiya_events.adapters.store import redis_scripts
from jiraiya_events.adapters.store.open_store import Stores, open_stores
from jiraiya_events.adapters.store.redis import RedisStore
from jiraiya_events.adapters.store.redis_cache import RedisCache
from jiraiya_events.adapters.store.redis_connection import Call, RedisConnection, Script
from tests.contracts.test_result_store import FIRST, TTL_S, failed, paid
from tests.redis_server import RedisServer

Write = Callable[[Stores], Awaitable[object]]


class Interrupted(RedisConnection):
    """A connection that lets somebody else in, once, before it sends a certain script."""

    def __init__(self, url: str, before: Script, other: Callable[[], Awaitable[object]]) -> None:
        super().__init__(url)
        self._before = before
        self._other: Callable[[], Awaitable[object]] | None = other

    async def run(self, *calls: Call) -> list[Any]:
        """Run the scripts one by one: they are not atomic together anyway."""
        results = []
        for call in calls:
            other = self._other
            if call.script is self._before and other is not None:
                self._other = None
                await other()
            results += await super().run(call)
        return results


def stores_on(connection: RedisConnection) -> Stores:
    """Open the store and the cache on a connection."""
    results, answers = RedisStore(connection, TTL_S), RedisCache(connection, TTL_S)
    return Stores(results, answers, caching=True, redis=connection)


@pytest.fixture
async def stores(redis_url: str) -> AsyncIterator[Stores]:
    """Open what nobody interrupts."""
    opened = open_stores(redis_url, TTL_S, TTL_S)
    yield opened
    await opened.aclose()


async def save_answer(stores: Stores) -> None:
    """Keep a paid answer of ann's."""
    await stores.results.save_answer(FIRST, "f", "ann", paid())


async def save_outcome(stores: Stores) -> None:
    """Keep an outcome of ann's."""
    await stores.results.save_outcome(FIRST, "f", "ann", failed())


async def keep(stores: Stores) -> None:
    """Keep an answer of ann's for equal wishes."""
    await stores.answers.keep("k", "ann", paid())


@pytest.mark.parametrize("write", [save_answer, save_outcome, keep])
async def test_what_is_written_during_a_forget_is_forgotten_too(
    write: Write, stores: Stores, redis_url: str, redis_server: RedisServer
) -> None:
    """Proves that a note of a later write is not dropped with the one that was read."""
    await write(stores)
    connection = Interrupted(redis_url, redis_scripts.DROP, lambda: write(stores))
    forgetting = stores_on(connection)
    await forgetting.forget("ann")
    await forgetting.aclose()
    assert redis_server.command("DBSIZE") == b":0\r\n"


@pytest.mark.parametrize(
    ("write", "script"),
    [
        (save_answer, redis_scripts.SAVE_ANSWER),
        (save_outcome, redis_scripts.SAVE_OUTCOME),
        (keep, redis_scripts.KEEP),
    ],
)
async def test_a_forget_during_a_write_leaves_it_to_the_next_forget(
    write: Write, script: Script, stores: Stores, redis_url: str, redis_server: RedisServer
) -> None:
    """Proves that a write is noted after it as well as before."""
    await write(stores)
    connection = Interrupted(redis_url, script, lambda: stores.forget("ann"))
    writing = stores_on(connection)
    await write(writing)
    await writing.aclose()
    assert redis_server.command("DBSIZE") == b":2\r\n"
    await stores.forget("ann")
    assert redis_server.command("DBSIZE") == b":0\r\n"
