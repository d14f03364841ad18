"""What every keeper of budgets promises, checked on each of them."""

import asyncio
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, closing
from pathlib import Path

import pytest

from jiraiya_events.adapters.limits.memory_spending import MemorySpending
from jiraiya_events.adapters.limits.redis_spending import RedisSpending
from jiraiya_events.adapters.limits.sqlite_spending import SqliteSpending
from jiraiya_events.adapters.store.open_store import open_stores
from jiraiya_events.adapters.store.redis_connection import RedisConnection
from jiraiya_events.adapters.store.sqlite_thread import SqliteThread
from jiraiya_events.domain.errors import StoreUnavailable
from jiraiya_events.domain.identity import RequestIdentity
from jiraiya_events.generation.budgets import Budgets
from jiraiya_events.generation.spending import OverBudget, Reservation, Spending
from tests.contracts.standing_clock import StandingClock
from tests.redis_server import RedisServer

NOON = 86_400 * 20_000 + 43_200.0
MIDNIGHT = NOON + 43_200
TEN_EACH = Budgets(user_daily_pico=10, service_daily_pico=10)

Open = Callable[[Budgets], Spending]


@pytest.fixture(params=["memory", "sqlite", "redis"])
async def open_one(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Open]:
    """Return what opens a keeper with some budgets; all that it opens share their sums."""
    async with AsyncExitStack() as opened:
        if request.param == "memory":
            yield _memory()
        elif request.param == "sqlite":
            yield _sqlite(opened, tmp_path / "outcomes.db")
        else:
            yield _redis(opened, request.getfixturevalue("redis_url"))


def _memory() -> Open:
    one = MemorySpending(Budgets())

    def open_with(budgets: Budgets) -> Spending:
        one._budgets = budgets
        return one

    return open_with


def _sqlite(opened: AsyncExitStack, file: Path) -> Open:
    def open_with(budgets: Budgets) -> Spending:
        thread = SqliteThread(file)
        opened.push_async_callback(thread.aclose)
        return SqliteSpending(thread, budgets)

    return open_with


def _redis(opened: AsyncExitStack, url: str) -> Open:
    def open_with(budgets: Budgets) -> Spending:
        connection = RedisConnection(url)
        opened.push_async_callback(connection.aclose)
        return RedisSpending(connection, budgets)

    return open_with


def call(
    pico_usd: int, key: str = "one", user_id: str | None = "ann", now: float = NOON
) -> Reservation:
    """Return a reservation for a call at noon."""
    return Reservation(key, user_id, pico_usd, now)


async def refusal(spending: Spending, wanted: Reservation) -> OverBudget:
    """Reserve what does not fit."""
    over = await spending.reserve(wanted, wanted.now)
    assert over is not None
    return over


async def fits(spending: Spending, wanted: Reservation) -> bool:
    """Tell whether there was room for it; then it is reserved."""
    return await spending.reserve(wanted, wanted.now) is None


async def room(spending: Spending, user_id: str | None = "ann", now: float = NOON) -> int:
    """Use up what is left of a budget below 100, and return how much that was."""
    left = 0
    while left < 100 and await fits(spending, call(1, f"probe {user_id} {left}", user_id, now)):
        left += 1
    return left


async def test_a_budget_can_be_used_up_to_its_last_pico_dollar(open_one: Open) -> None:
    """Proves the edge, and what whoever passes it is told."""
    spending = open_one(Budgets(user_daily_pico=10))
    assert await fits(spending, call(10))
    assert await refusal(spending, call(1, "two")) == OverBudget("user", 43_200.0)


async def test_without_a_budget_everything_fits_and_is_counted(open_one: Open) -> None:
    """Proves that a budget set later in the day knows what was spent."""
    assert await fits(open_one(Budgets()), call(8))
    assert await room(open_one(TEN_EACH)) == 2


async def test_each_user_has_a_budget_of_their_own(open_one: Open) -> None:
    """Proves that one user cannot use up another one's."""
    spending = open_one(Budgets(user_daily_pico=10))
    assert await fits(spending, call(10))
    assert await room(spending, "bob") == 10


async def test_all_users_share_the_budget_of_the_service(open_one: Open) -> None:
    """Proves that the sum of everybody is limited, and by which budget."""
    spending = open_one(Budgets(user_daily_pico=10, service_daily_pico=15))
    assert await fits(spending, call(10))
    assert (await refusal(spending, call(6, "two", "bob"))).scope == "service"
    assert await room(spending, "bob") == 5


async def test_a_call_without_a_user_counts_for_the_service_alone(open_one: Open) -> None:
    """Proves that replays use up no user's budget, and some of the service's."""
    spending = open_one(Budgets(user_daily_pico=10, service_daily_pico=15))
    assert await fits(spending, call(12, user_id=None))
    assert await room(spending) == 3


async def test_a_refused_reservation_counts_nowhere(open_one: Open) -> None:
    """Proves that both sums change or none, whichever of the two is full."""
    spending = open_one(Budgets(user_daily_pico=10, service_daily_pico=15))
    assert (await refusal(spending, call(11))).scope == "user"
    assert await fits(spending, call(9, "bobs", "bob"))
    assert (await refusal(spending, call(7, "two"))).scope == "service"
    assert await room(spending) == 6


async def test_a_cheaper_call_gives_the_rest_back(open_one: Open) -> None:
    """Proves that the cost takes the place of what was reserved."""
    spending = open_one(TEN_EACH)
    assert await fits(spending, call(10))
    await spending.settle(call(10), 3)
    assert await room(spending) == 7


async def test_a_dearer_call_counts_in_full(open_one: Open) -> None:
    """Proves that money that was spent is never forgotten, even beyond the budget."""
    spending = open_one(Budgets(user_daily_pico=10, service_daily_pico=100))
    assert await fits(spending, call(4))
    await spending.settle(call(4), 30)
    assert await room(spending) == 0
    assert await room(spending, user_id=None) == 70


async def test_a_settlement_that_comes_twice_counts_once(open_one: Open) -> None:
    """Proves that one whose answer got lost may be sent again."""
    spending = open_one(TEN_EACH)
    assert await fits(spending, call(9))
    for _ in range(3):
        await spending.settle(call(9), 4)
    assert await room(spending) == 6


async def test_what_was_never_reserved_cannot_be_settled(open_one: Open) -> None:
    """Proves that a reservation whose fate is unknown may be given back."""
    spending = open_one(TEN_EACH)
    await spending.settle(call(5), 0)
    await spending.settle(call(5, "two"), 4)
    assert await room(spending) == 10


async def test_a_new_day_begins_with_nothing_spent(open_one: Open) -> None:
    """Proves that what is left reserved counts for its own day alone."""
    spending = open_one(TEN_EACH)
    assert await fits(spending, call(10))
    assert await room(spending, now=MIDNIGHT - 0.001) == 0
    assert await room(spending, now=MIDNIGHT) == 10


async def test_a_call_that_ends_after_midnight_counts_for_the_day_it_began(open_one: Open) -> None:
    """Proves that its cost moves to no other day, while both days go on."""
    spending = open_one(TEN_EACH)
    assert await fits(spending, call(10, now=MIDNIGHT - 1))
    assert await fits(spending, call(4, "two", now=MIDNIGHT + 1))
    await spending.settle(call(10, now=MIDNIGHT - 1), 8)
    assert await room(spending, now=MIDNIGHT + 2) == 6
    assert await room(spending, now=MIDNIGHT - 1) == 2


async def test_sums_are_exact_beyond_what_a_float_holds(open_one: Open) -> None:
    """Proves it at a hundred thousand USD, where floats count in steps of 16."""
    spending = open_one(Budgets(service_daily_pico=10**17 + 1))
    assert await fits(spending, call(10**17, "one"))
    assert await fits(spending, call(1, "two"))
    assert not await fits(spending, call(1, "three"))


async def test_a_hundred_at_once_cannot_pass_a_budget_for_ten(open_one: Open) -> None:
    """Proves it through two keepers that share their sums."""
    keepers = [open_one(TEN_EACH), open_one(TEN_EACH)]
    wanted = [call(1, f"call {number}") for number in range(100)]
    admitted = await asyncio.gather(
        *(fits(keepers[number % 2], one) for number, one in enumerate(wanted))
    )
    assert sum(admitted) == 10


async def test_the_last_days_sums_are_kept_no_longer_than_needed(tmp_path: Path) -> None:
    """Proves that a process does not grow with the days, nor a file, budgets or no budgets."""
    clock, path = StandingClock(), tmp_path / "outcomes.db"
    in_memory = MemorySpending(Budgets())
    async with AsyncExitStack() as opened:
        in_file = _sqlite(opened, path)(Budgets())
        stores = open_stores(f"sqlite:///{path}", 1000.0, 0, clock)
        opened.push_async_callback(stores.aclose)
        for day in range(5):
            clock.time = NOON + day * 86_400
            for keeper in (in_file, in_memory):
                assert await fits(keeper, call(1, now=clock.time))
        await stores.results.look_up(RequestIdentity("/shop", "r-1"), "f", None)
    assert sorted(in_memory._days) == [20_003, 20_004]
    with closing(sqlite3.connect(path)) as file:
        for table in ("spent", "reserved"):
            days = file.execute(f"SELECT DISTINCT day FROM {table} ORDER BY day").fetchall()  # noqa: S608
            assert days == [(20_003,), (20_004,)]


async def test_nobody_can_be_named_by_what_is_kept(tmp_path: Path) -> None:
    """Proves that the file holds no user's id: sums outlive `store forget`."""
    async with AsyncExitStack() as opened:
        spending = _sqlite(opened, tmp_path / "outcomes.db")(TEN_EACH)
        assert await fits(spending, call(1, user_id="ann.of.green.gables"))
    assert b"green.gables" not in (tmp_path / "outcomes.db").read_bytes()


async def test_a_closed_file_is_an_unavailable_store(tmp_path: Path) -> None:
    """Proves the error the requests wait out."""
    thread = SqliteThread(tmp_path / "outcomes.db")
    await thread.aclose()
    with pytest.raises(StoreUnavailable):
        await SqliteSpending(thread, TEN_EACH).reserve(call(1), NOON)


async def test_redis_forgets_a_day_two_days_later(
    redis_server: RedisServer, redis_url: str
) -> None:
    """Proves the one key of a day and its end, which every use puts off."""
    async with AsyncExitStack() as opened:
        spending = _redis(opened, redis_url)(TEN_EACH)
        assert await fits(spending, call(1))
        await spending.settle(call(1), 1)
    assert redis_server.command("DBSIZE") == b":1\r\n"
    seconds = int(redis_server.command("TTL", "jiraiya:spending:20000")[1:])
    assert 2 * 86_400 - 60 < seconds <= 2 * 86_400


async def test_a_stopped_redis_is_an_unavailable_store_until_it_is_back(
    own_redis: RedisServer,
) -> None:
    """Proves the error the requests wait out, and that nothing needs a restart."""
    async with AsyncExitStack() as opened:
        spending = _redis(opened, own_redis.url)(TEN_EACH)
        assert await fits(spending, call(1))
        own_redis.stop()
        with pytest.raises(StoreUnavailable):
            await spending.reserve(call(1, "two"), NOON)
        with pytest.raises(StoreUnavailable):
            await spending.settle(call(1), 1)
        own_redis.start()
        assert await fits(spending, call(1, "three"))


_ONE_PROCESS = """
import asyncio, sys
from pathlib import Path
from jiraiya_events.adapters.limits.redis_spending import RedisSpending
from jiraiya_events.adapters.limits.sqlite_spending import SqliteSpending
from jiraiya_events.adapters.store.redis_connection import RedisConnection
from jiraiya_events.adapters.store.sqlite_thread import SqliteThread
from jiraiya_events.generation.budgets import Budgets
from jiraiya_events.generation.spending import Reservation

async def main(place, name):
    budgets = Budgets(user_daily_pico=10, service_daily_pico=10)
    if place.startswith("redis"):
        connection = RedisConnection(place)
        spending = RedisSpending(connection, budgets)
    else:
        connection = SqliteThread(Path(place))
        spending = SqliteSpending(connection, budgets)
    print("ready", flush=True)
    sys.stdin.readline()
    now = 86_400 * 20_000
    wanted = [Reservation(f"{name} {n}", "ann", 1, now) for n in range(25)]
    over = await asyncio.gather(*(spending.reserve(one, now) for one in wanted))
    await connection.aclose()
    print(over.count(None), flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
async def test_four_processes_together_cannot_pass_a_budget_for_ten(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Proves it with a hundred calls, let go at once when all four have opened the same place."""
    file = str(tmp_path / "outcomes.db")
    place = file if kind == "sqlite" else request.getfixturevalue("redis_url")
    pipe = asyncio.subprocess.PIPE
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", _ONE_PROCESS, place, name, stdin=pipe, stdout=pipe
        )
        for name in "abcd"
    ]
    for process in processes:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    ends = await asyncio.gather(*(process.communicate(b"go\n") for process in processes))
    assert sum(int(output) for output, _ in ends) == 10
