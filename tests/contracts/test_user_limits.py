"""What every counter of users' requests promises, checked on each of them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest

from jiraiya_events.adapters.limits.memory_user_limits import MemoryUserLimits
from jiraiya_events.adapters.limits.redis_user_limits import RedisUserLimits
from jiraiya_events.adapters.store.redis_connection import RedisConnection
from jiraiya_events.domain.errors import StoreUnavailable
from jiraiya_events.generation.spending import UserLimits
from tests.contracts.standing_clock import StandingClock
from tests.redis_server import RedisServer


@dataclass
class Kind:
    """How to open counters of one kind, and how to let a time pass for them."""

    open: Callable[[str], UserLimits]
    passes: Callable[[float], Awaitable[None]]


@pytest.fixture(params=["memory", "redis"])
async def kind(request: pytest.FixtureRequest) -> AsyncIterator[Kind]:
    """Return one kind; Redis is asked by the machine's own clock."""
    async with AsyncExitStack() as opened:
        if request.param == "memory":
            yield _memory()
        else:
            yield Kind(_redis(opened, request.getfixturevalue("redis_url")), asyncio.sleep)


def _memory() -> Kind:
    clock = StandingClock()

    async def passes(seconds: float) -> None:
        clock.time += seconds

    return Kind(lambda rate: MemoryUserLimits(rate, clock), passes)


def _redis(opened: AsyncExitStack, url: str) -> Callable[[str], UserLimits]:
    def open_with(rate: str) -> UserLimits:
        connection = RedisConnection(url)
        opened.push_async_callback(connection.aclose)
        return RedisUserLimits(connection, rate)

    return open_with


async def test_the_first_requests_pass_and_the_next_one_waits(kind: Kind) -> None:
    """Proves the count and the time until the oldest request leaves the window."""
    limits = kind.open("3/minute")
    assert [await limits.check("ann") for _ in range(3)] == [0.0, 0.0, 0.0]
    assert 50 < await limits.check("ann") <= 60


async def test_each_user_is_counted_alone(kind: Kind) -> None:
    """Proves that one user cannot use up another one's requests, whatever the ids hold."""
    limits = kind.open("1/hour")
    for user_id in ("ann", "ann/1", "an", "ann:", "Ann", "ännchen", "{ann}", "*"):
        assert await limits.check(user_id) == 0.0
        assert await limits.check(user_id) > 0.0


async def test_a_hundred_at_once_cannot_pass_a_limit_of_ten(kind: Kind) -> None:
    """Proves that requests side by side are counted one by one."""
    limits = kind.open("10/day")
    waits = await asyncio.gather(*(limits.check("ann") for _ in range(100)))
    assert waits.count(0.0) == 10
    assert all(wait > 0 for wait in waits if wait)


async def test_after_the_wait_the_next_request_fits_and_is_counted(kind: Kind) -> None:
    """Proves the wait, that a refused request is not counted, and that the window slides."""
    limits = kind.open("2/second")
    await limits.check("ann")
    await limits.check("ann")
    wait_s = await limits.check("ann")
    assert await limits.check("ann") > 0
    await kind.passes(wait_s)
    for _ in range(100):
        if await limits.check("ann") == 0:
            break
        await kind.passes(0.01)
    else:
        pytest.fail("it never fitted")


async def test_the_window_slides_with_each_request() -> None:
    """Proves that there is no edge at which twice as many fit."""
    clock = StandingClock()
    limits = MemoryUserLimits("2/minute", clock)
    assert await limits.check("ann") == 0
    clock.time += 50
    assert await limits.check("ann") == 0
    assert await limits.check("ann") == 10
    clock.time += 10
    assert await limits.check("ann") == 0
    assert await limits.check("ann") == 50


async def test_users_who_are_gone_are_forgotten() -> None:
    """Proves that memory follows the users of one window, also beside one who never leaves."""
    clock = StandingClock()
    limits = MemoryUserLimits("5/second", clock)
    for number in range(1000):
        if number % 5 == 0:
            assert await limits.check("ann") == 0
        assert await limits.check(f"user {number}") == 0
        clock.time += 0.1
    assert len(limits._allowed) <= 20


async def test_replicas_share_their_counts_in_redis(redis_url: str) -> None:
    """Proves that a limit holds for all of them together."""
    async with AsyncExitStack() as opened:
        open_one = _redis(opened, redis_url)
        assert await open_one("1/hour").check("ann") == 0
        assert await open_one("1/hour").check("ann") > 0


async def test_redis_keeps_no_user_id_and_nothing_longer_than_the_window(
    redis_server: RedisServer, redis_url: str
) -> None:
    """Proves what a look into the store shows."""
    async with AsyncExitStack() as opened:
        assert await _redis(opened, redis_url)("1/minute").check("ann.of.green.gables") == 0
    keys = redis_server.command("KEYS", "*")
    assert keys.startswith(b"*1\r\n")
    assert b"green.gables" not in keys
    name = keys.split(b"\r\n")[2].decode()
    assert name.startswith("jiraiya:")
    assert 0 < int(redis_server.command("TTL", name)[1:]) <= 60


async def test_a_stopped_redis_is_an_unavailable_store_until_it_is_back(
    own_redis: RedisServer,
) -> None:
    """Proves the error, which lets requests pass uncounted, and that it mends itself."""
    async with AsyncExitStack() as opened:
        limits = _redis(opened, own_redis.url)("5/minute")
        assert await limits.check("ann") == 0
        own_redis.stop()
        with pytest.raises(StoreUnavailable):
            await limits.check("ann")
        own_redis.start()
        assert await limits.check("ann") == 0
