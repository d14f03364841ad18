"""A SQLite file whose disk hangs or that another program keeps locked holds up nobody for long."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from jiraiya_events.adapters.store import silence, sqlite_thread
from jiraiya_events.adapters.store.open_store import Stores, open_stores
from jiraiya_events.domain.errors import StoreUnavailable
from jiraiya_events.domain.identity import RequestIdentity
from jiraiya_events.generation.result_store import Stored
from tests.contracts.standing_clock import StandingClock
from tests.contracts.test_result_store import FIRST, LEASE_S, TTL_S, lease, paid

SECOND = RequestIdentity("/shop", "r-2")


@pytest.fixture
async def stores(tmp_path: Path, clock: StandingClock) -> AsyncIterator[Stores]:
    """Open a store in a file."""
    opened = open_stores(f"sqlite:///{tmp_path / 'r.db'}", TTL_S, 0, clock)
    await opened.results.ping()
    yield opened
    await opened.aclose()


class Hang:
    """An operation that comes back when it is told to."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.ended = threading.Event()

    def __call__(self, _: sqlite3.Connection) -> None:
        """Hang."""
        self.begun.set()
        self.ended.wait()


@pytest.fixture
def hang() -> Iterator[Hang]:
    """Return what hangs, until the test ends at the latest."""
    one = Hang()
    yield one
    one.ended.set()


async def hangs(stores: Stores, hang: Hang) -> asyncio.Task[None]:
    """Let the file hang; return who waits for it."""
    assert stores.sqlite is not None
    doomed = asyncio.create_task(stores.sqlite.run(hang))
    await asyncio.to_thread(hang.begun.wait)
    return doomed


async def works(stores: Stores) -> None:
    """Wait until the store is found to work again."""
    async with asyncio.timeout(30):
        while True:
            try:
                await stores.results.ping()
            except StoreUnavailable:
                await asyncio.sleep(0.05)
            else:
                return


async def test_who_waits_for_a_file_that_hangs_is_let_go_in_time(
    stores: Stores, hang: Hang, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Proves it for whoever is in the operation that hangs, and for those behind."""
    monkeypatch.setattr(sqlite_thread, "WITHIN_S", 0.1)
    doomed = await hangs(stores, hang)
    looks = [stores.results.look_up(SECOND, "f", "ann") for _ in range(10)]
    ends = await asyncio.gather(doomed, *looks, return_exceptions=True)
    assert {type(end) for end in ends} == {StoreUnavailable}
    assert all("did not answer in time" in str(end) for end in ends)


async def test_a_file_that_hangs_is_asked_now_and_then_only(
    stores: Stores, hang: Hang, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Proves that after one time-out nobody else waits."""
    monkeypatch.setattr(silence, "QUIET_S", 3600.0)
    with monkeypatch.context() as impatient:
        impatient.setattr(sqlite_thread, "WITHIN_S", 0.1)
        doomed = await hangs(stores, hang)
        await asyncio.gather(doomed, return_exceptions=True)
    # Each of these would wait for a tenth of that by itself.
    async with asyncio.timeout(10 * sqlite_thread.WITHIN_S):
        for _ in range(20):
            with pytest.raises(StoreUnavailable, match="did not answer in time"):
                await stores.results.ping()


async def test_the_end_of_a_hang_is_found_out(
    stores: Stores, hang: Hang, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Proves that one in a while is let through, and with its answer everybody."""
    with monkeypatch.context() as impatient:
        impatient.setattr(sqlite_thread, "WITHIN_S", 0.1)
        doomed = await hangs(stores, hang)
        await asyncio.gather(doomed, return_exceptions=True)
    hang.ended.set()
    await works(stores)
    assert await stores.results.look_up(FIRST, "f", "ann") == Stored()


async def test_what_was_given_up_before_it_began_is_never_done(
    stores: Stores, hang: Hang, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Proves that nobody is surprised by what he was told had failed, such as a lease."""
    monkeypatch.setattr(sqlite_thread, "WITHIN_S", 0.1)
    doomed = await hangs(stores, hang)
    with pytest.raises(StoreUnavailable):
        await stores.results.look_up(FIRST, "f", "ann", lease("given up"))
    await asyncio.gather(doomed, return_exceptions=True)
    hang.ended.set()
    await works(stores)
    assert await stores.results.look_up(FIRST, "f", "ann", lease("next")) == Stored()


async def test_a_file_that_stays_locked_is_a_store_that_does_not_answer(
    stores: Stores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Proves that another program's transaction holds up one caller in a few seconds, not all."""
    assert stores.sqlite is not None
    monkeypatch.setattr(silence, "QUIET_S", 6.0)
    await stores.sqlite.run(lambda file: file.execute("PRAGMA busy_timeout = 50").fetchone())
    with closing(sqlite3.connect(tmp_path / "r.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="keeps the file locked"):
            await stores.results.save_answer(FIRST, "f", "ann", paid())
        asked: list[str] = []
        monkeypatch.setattr(stores.sqlite, "_transact", asked.append)
        with pytest.raises(StoreUnavailable, match="keeps the file locked"):
            await stores.results.ping()
        monkeypatch.undo()
        assert not asked
    await works(stores)
    assert (await stores.results.look_up(FIRST, "f", "ann")).answer is None


async def test_a_file_that_hangs_does_not_hold_up_the_end(
    tmp_path: Path, hang: Hang, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Proves that closing comes back, and that the thread ends when the hang does."""
    monkeypatch.setattr(sqlite_thread, "WITHIN_S", 0.1)
    stores = open_stores(f"sqlite:///{tmp_path / 'r.db'}", TTL_S, 0)
    doomed = await hangs(stores, hang)
    forgetting = asyncio.create_task(stores.results.forget("ann"))
    await asyncio.sleep(0)
    await stores.aclose()
    for end in await asyncio.gather(doomed, forgetting, return_exceptions=True):
        assert isinstance(end, StoreUnavailable)
    assert stores.sqlite is not None
    (thread,) = stores.sqlite._thread._threads
    hang.ended.set()
    await asyncio.to_thread(thread.join)
    assert stores.sqlite._connection is None


@pytest.mark.parametrize("renewed", [False, True])
async def test_a_lease_begins_when_it_is_granted(
    stores: Stores, hang: Hang, clock: StandingClock, *, renewed: bool
) -> None:
    """Proves that a look-up or a renewal which waited for its turn has the whole time."""
    mine = lease("mine")
    if renewed:
        await stores.results.look_up(FIRST, "f", "ann", mine)
    waiting = await hangs(stores, hang)
    store = stores.results
    asking = store.renew([mine]) if renewed else store.look_up(FIRST, "f", "ann", mine)
    asked = asyncio.create_task(asking)
    await asyncio.sleep(0)
    clock.time += LEASE_S / 2
    hang.ended.set()
    await asyncio.gather(waiting, asked)
    clock.time += LEASE_S - 1
    assert (await store.look_up(FIRST, "f", "ann", lease("other"))).busy
