"""What every result store promises, checked on each of them."""

import asyncio
import sqlite3
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from jiraiya_events.adapters.store.open_store import open_stores
from jiraiya_events.domain.codes import ErrorCode, Stage
from jiraiya_events.domain.errors import SettingsError, StoreUnavailable
from jiraiya_events.domain.identity import RequestIdentity
from jiraiya_events.domain.outcome import Failure, Source, StoryFailed, StoryGenerated
from jiraiya_events.domain.story import Cost, Safety, Story, Timings, Usage
from jiraiya_events.generation.paid import PaidAnswer
from jiraiya_events.generation.prompt import AnswerForm
from jiraiya_events.generation.result_store import Lease, ResultStore, Stored
from tests.contracts.standing_clock import StandingClock

FIRST = RequestIdentity("/shop", "r-1")
REPLAY = RequestIdentity("/shop", "r-1", attempt=2)
TTL_S = 100_000.0
LEASE_S = 600.0
A_WHILE = 60.0
"""More than the time that a test on a busy machine takes: Redis's own clock never stands."""


@pytest.fixture
async def store(store_url: str, clock: StandingClock) -> AsyncIterator[ResultStore]:
    """Open one of the stores."""
    stores = open_stores(store_url, TTL_S, 0, clock)
    yield stores.results
    await stores.aclose()


def sqlite_store(path: Path, clock: StandingClock | None = None) -> ResultStore:
    """Open a store in a file."""
    return open_stores(f"sqlite:///{path}", TTL_S, 0, clock).results


def files_of(folder: Path) -> list[Path]:
    """Return the database and its journals."""
    return list(folder.iterdir())


def paid(text: str = "Märchen", attempt: int = 1) -> PaidAnswer:
    """Return a paid answer."""
    return PaidAnswer(
        text=text,
        form=AnswerForm.JSON,
        finish_reason="stop",
        refusal=None,
        model="some",
        provider="openai",
        prompt_version="story.v1",
        attempt=attempt,
        calls=1,
        usage=Usage(input_tokens=3, output_tokens=5),
        cost_pico_usd=12,
    )


def failed(code: ErrorCode = ErrorCode.CONTENT_BLOCKED) -> StoryFailed:
    """Return a failure."""
    return StoryFailed(
        request_id="r-1",
        user_id="ann",
        error=Failure(code=code, message="m", retryable=False, stage=Stage.GENERATE),
        attempt=1,
        tries=1,
        billed=None,
        usage=Usage(),
        cost=None,
        dead_lettered=False,
        dlq_reference=None,
    )


def generated(title: str = "Die Füchsin") -> StoryGenerated:
    """Return a story."""
    return StoryGenerated(
        request_id="r-1",
        user_id="ann",
        story=Story(title=title, content="Es war einmal.", language="de", word_count=3),
        model="some",
        provider="openai",
        prompt_version="story.v1",
        usage=Usage(input_tokens=3),
        cost=Cost.from_pico_usd(12),
        attempt=1,
        tries=1,
        source=Source.MODEL,
        timings=Timings(queued_ms=1, generation_ms=2, total_ms=3),
        safety=Safety(input_checked=False, output_checked=False),
        metadata={"k": "v"},
    )


async def test_who_asks_first_is_told_so(store: ResultStore, clock: StandingClock) -> None:
    """A request counts once against its user's limit, however often its partition moves."""
    mine = lease("mine")
    asked = [(await store.look_up(FIRST, "f", "ann", mine)).known for _ in range(2)]
    assert asked == [False, True]
    assert (await store.look_up(REPLAY, "f", "ann")).known
    assert (await store.look_up(FIRST, "f", "ann", lease("another"))).known
    assert (await store.look_up(FIRST, "other", "ann")).known


async def test_an_unheard_of_request_is_a_miss(store: ResultStore) -> None:
    """Proves that a first look-up finds nothing and no conflict."""
    assert await store.look_up(FIRST, "f", "ann") == Stored()


@pytest.mark.parametrize("outcome", [generated(), failed()])
async def test_an_outcome_comes_back_as_it_was(
    store: ResultStore, outcome: StoryGenerated | StoryFailed
) -> None:
    """Proves that a resend gets exactly the stored outcome, failures included."""
    await store.save_outcome(FIRST, "f", "ann", outcome)
    assert (await store.look_up(FIRST, "f", "ann")).outcome == outcome


async def test_the_first_outcome_of_an_attempt_stays(store: ResultStore) -> None:
    """Proves that what may have been published is never replaced."""
    assert await store.save_outcome(FIRST, "f", "ann", generated("one")) == generated("one")
    assert await store.save_outcome(FIRST, "f", "ann", generated("two")) == generated("one")
    stored = (await store.look_up(FIRST, "f", "ann")).outcome
    assert stored == generated("one")


async def test_a_replay_sees_the_paid_answer_but_not_the_old_outcome(store: ResultStore) -> None:
    """Proves that outcomes are kept by attempt and answers by request."""
    await store.save_answer(FIRST, "f", "ann", paid())
    await store.save_outcome(FIRST, "f", "ann", failed())
    assert await store.look_up(REPLAY, "f", "ann") == Stored(answer=paid())


async def test_the_latest_paid_answer_replaces_the_one_before(store: ResultStore) -> None:
    """Proves that a second call's answer is the one a recovery finds."""
    await store.save_answer(FIRST, "f", "ann", paid("one"))
    await store.save_answer(FIRST, "f", "ann", paid("two"))
    assert (await store.look_up(FIRST, "f", "ann")).answer == paid("two")


async def test_the_first_body_wins_from_its_look_up_on(store: ResultStore) -> None:
    """Proves that a look-up claims the identity, and that the loser can read or save nothing."""
    await store.look_up(FIRST, "first", "ann")
    await store.save_answer(FIRST, "first", "ann", paid())
    assert await store.look_up(FIRST, "second", "bob") == Stored(conflict=True)
    await store.save_answer(FIRST, "second", "bob", paid("forged"))
    await store.save_outcome(FIRST, "second", "bob", failed())
    assert await store.look_up(FIRST, "first", "ann") == Stored(answer=paid())


async def test_of_two_bodies_at_once_exactly_one_wins(store: ResultStore) -> None:
    """Proves that the claim is atomic among concurrent look-ups."""
    looked = await asyncio.gather(*(store.look_up(FIRST, f"f{n}", "ann") for n in range(20)))
    assert sum(not one.conflict for one in looked) == 1


async def test_sources_do_not_share_ids(store: ResultStore) -> None:
    """Proves that the identity is source and id together."""
    await store.save_outcome(FIRST, "f", "ann", failed())
    assert await store.look_up(RequestIdentity("/other", "r-1"), "g", "ann") == Stored()


async def test_everything_ends_with_its_time_to_live(
    store: ResultStore, clock: StandingClock
) -> None:
    """Proves that after the TTL even another body may use the identity."""
    await store.save_answer(FIRST, "f", "ann", paid())
    await store.save_outcome(FIRST, "f", "ann", failed())
    clock.time += TTL_S - A_WHILE
    assert (await store.look_up(FIRST, "f", "ann")).outcome is not None
    clock.time += A_WHILE
    assert await store.look_up(FIRST, "g", "ann") == Stored()


async def test_saving_prolongs_the_time_to_live(store: ResultStore, clock: StandingClock) -> None:
    """Proves that the TTL counts from the latest thing stored."""
    await store.look_up(FIRST, "f", "ann")
    clock.time += TTL_S - A_WHILE
    await store.save_answer(FIRST, "f", "ann", paid())
    clock.time += TTL_S - A_WHILE
    await store.save_outcome(FIRST, "f", "ann", failed())
    clock.time += TTL_S - A_WHILE
    assert await store.look_up(FIRST, "f", "ann") == Stored(outcome=failed(), answer=paid())


async def test_a_user_can_be_forgotten(store: ResultStore) -> None:
    """Proves that everything of one user goes, also a mere claim, and nothing of others."""
    await store.save_outcome(FIRST, "f", "ann", failed())
    await store.look_up(RequestIdentity("/shop", "r-2"), "f", "ann")
    await store.save_outcome(RequestIdentity("/shop", "r-3"), "f", "bob", failed())
    assert await store.forget("ann") == 2
    assert await store.forget("ann") == 0
    assert await store.look_up(FIRST, "another", "ann") == Stored()
    kept = await store.look_up(RequestIdentity("/shop", "r-3"), "f", "bob")
    assert kept.outcome is not None


async def test_an_edited_body_takes_the_place_of_one_that_is_not_paid_for(
    store: ResultStore,
) -> None:
    """Proves that nothing of the first body is left: not its claim, not its outcomes."""
    await store.save_outcome(FIRST, "first", "ann", failed())
    await store.replace_body(REPLAY, "second", "bob")
    assert await store.look_up(REPLAY, "second", "bob") == Stored()
    assert await store.look_up(FIRST, "second", "bob") == Stored()
    assert await store.look_up(FIRST, "first", "ann") == Stored(conflict=True)
    assert await store.forget("bob") == 1


async def test_a_paid_answer_cannot_be_given_to_another_body(store: ResultStore) -> None:
    """Proves it for a look-up and for what the first body gets afterwards."""
    await store.save_answer(FIRST, "first", "ann", paid())
    await store.replace_body(REPLAY, "second", "ann")
    assert await store.look_up(REPLAY, "second", "ann") == Stored(conflict=True)
    assert await store.look_up(REPLAY, "first", "ann") == Stored(answer=paid())


async def test_an_attempt_that_has_an_outcome_keeps_its_body(store: ResultStore) -> None:
    """Proves that one event id never gets two bodies."""
    await store.save_outcome(REPLAY, "first", "ann", failed())
    await store.replace_body(REPLAY, "second", "ann")
    assert await store.look_up(REPLAY, "second", "ann") == Stored(conflict=True)


async def test_replacing_a_body_by_itself_changes_nothing(store: ResultStore) -> None:
    """Proves that a second turn of an edited replay finds its own answer and outcome."""
    await store.replace_body(REPLAY, "f", "ann")
    await store.save_answer(REPLAY, "f", "ann", paid())
    await store.save_outcome(REPLAY, "f", "ann", failed())
    await store.replace_body(REPLAY, "f", "ann")
    assert await store.look_up(REPLAY, "f", "ann") == Stored(outcome=failed(), answer=paid())


async def test_whether_an_answer_is_paid_for_can_be_asked_without_claiming(
    store: ResultStore, clock: StandingClock
) -> None:
    """Proves that whoever asks does not become the first body, and that answers end."""
    assert not await store.is_paid(FIRST)
    assert await store.look_up(FIRST, "f", "ann") == Stored()
    assert not await store.is_paid(FIRST)
    await store.save_answer(FIRST, "f", "ann", paid())
    assert await store.is_paid(REPLAY)
    clock.time += TTL_S
    assert not await store.is_paid(FIRST)


def lease(owner: str, identity: RequestIdentity = FIRST) -> Lease:
    """Return the lease of a turn."""
    return Lease(identity, owner, LEASE_S)


async def is_free(store: ResultStore, identity: RequestIdentity = FIRST) -> bool:
    """Tell whether a newcomer gets the lease; if so it is given back."""
    newcomer = lease("newcomer", identity)
    stored = await store.look_up(identity, "f", "ann", newcomer)
    await store.release(newcomer)
    return not stored.busy


async def test_a_lease_is_its_owners_until_it_ends(
    store: ResultStore, clock: StandingClock
) -> None:
    """Proves that a second owner is told to wait until the end, and then has it."""
    assert await store.look_up(FIRST, "f", "ann", lease("one")) == Stored()
    clock.time += LEASE_S - A_WHILE
    assert await store.look_up(FIRST, "f", "ann", lease("two")) == Stored(busy=True)
    clock.time += A_WHILE
    assert await store.look_up(FIRST, "f", "ann", lease("two")) == Stored()
    assert not await is_free(store)


async def test_an_owner_is_not_in_its_own_way(store: ResultStore, clock: StandingClock) -> None:
    """Proves that asking again prolongs."""
    for _ in range(2):
        assert await store.look_up(FIRST, "f", "ann", lease("one")) == Stored()
        clock.time += LEASE_S - A_WHILE
    assert not await is_free(store)


async def test_of_many_owners_at_once_exactly_one_has_the_lease(store: ResultStore) -> None:
    """Proves that the claim is atomic among concurrent look-ups."""
    looks = [store.look_up(FIRST, "f", "ann", lease(f"{n}")) for n in range(20)]
    assert sum(not one.busy for one in await asyncio.gather(*looks)) == 1


async def test_a_look_up_without_a_lease_takes_none_and_waits_for_none(store: ResultStore) -> None:
    """Proves that who does not mean to call the model neither hinders nor is hindered."""
    await store.look_up(FIRST, "f", "ann")
    await store.save_answer(FIRST, "f", "ann", paid())
    assert await store.look_up(FIRST, "f", "ann", lease("one")) == Stored(answer=paid())
    assert await store.look_up(FIRST, "f", "ann") == Stored(answer=paid())


async def test_while_busy_no_answer_is_handed_out(store: ResultStore) -> None:
    """Proves that whoever paid looks at the answer first."""
    await store.look_up(FIRST, "f", "ann", lease("one"))
    await store.save_answer(FIRST, "f", "ann", paid())
    assert await store.look_up(FIRST, "f", "ann", lease("two")) == Stored(busy=True)


async def test_a_stored_outcome_is_returned_without_a_lease(store: ResultStore) -> None:
    """Proves that an outcome is there for everybody, and that its reader hinders no replay."""
    await store.look_up(FIRST, "f", "ann", lease("one"))
    await store.save_outcome(FIRST, "f", "ann", failed())
    assert (await store.look_up(FIRST, "f", "ann", lease("two"))).outcome == failed()
    await store.release(lease("one"))
    assert (await store.look_up(FIRST, "f", "ann", lease("two"))).outcome == failed()
    assert await is_free(store, REPLAY)


async def test_a_conflict_takes_no_lease(store: ResultStore) -> None:
    """Proves that the body that came second cannot hold up the first."""
    await store.look_up(FIRST, "f", "ann")
    assert await store.look_up(FIRST, "g", "bob", lease("two")) == Stored(conflict=True)
    assert await is_free(store)


async def test_attempts_share_a_lease_and_sources_do_not(store: ResultStore) -> None:
    """Proves that a replay waits for the call of the attempt before it."""
    await store.look_up(FIRST, "f", "ann", lease("one"))
    assert not await is_free(store, REPLAY)
    assert await is_free(store, RequestIdentity("/other", "r-1"))


async def test_renewing_prolongs_what_is_still_ones_own(
    store: ResultStore, clock: StandingClock
) -> None:
    """Proves that a lease lasts as long as it is renewed; a stranger's renewal does nothing."""
    mine, other = lease("one"), lease("other", RequestIdentity("/shop", "r-2"))
    await store.look_up(FIRST, "f", "ann", mine)
    await store.look_up(other.identity, "f", "ann", other)
    for _ in range(4):
        clock.time += LEASE_S - A_WHILE
        await store.renew([mine, lease("thief", other.identity)])
    assert not await is_free(store)
    assert await is_free(store, other.identity)


async def test_a_lease_that_ended_cannot_be_renewed(
    store: ResultStore, clock: StandingClock
) -> None:
    """Proves that a renewal that comes late, or after the end, brings nothing back."""
    given_back = lease("two", RequestIdentity("/shop", "r-2"))
    await store.look_up(FIRST, "f", "ann", lease("one"))
    await store.look_up(given_back.identity, "f", "ann", given_back)
    await store.release(given_back)
    clock.time += LEASE_S
    await store.renew([lease("one"), given_back])
    assert await is_free(store)
    assert await is_free(store, given_back.identity)


async def test_only_its_owner_gives_a_lease_back(store: ResultStore) -> None:
    """Proves it for a release and for the outcome that ends a turn."""
    await store.look_up(FIRST, "f", "ann", lease("one"))
    await store.release(lease("two"))
    await store.save_outcome(FIRST, "f", "ann", failed(), lease("two"))
    assert not await is_free(store, REPLAY)
    await store.release(lease("one"))
    assert await is_free(store, REPLAY)


async def test_an_outcome_ends_the_lease_of_its_turn(store: ResultStore) -> None:
    """Proves that a replay need not wait, and that the loser of two outcomes ends its own too."""
    for owner in ("one", "two"):
        await store.look_up(REPLAY, "f", "ann", lease(owner))
        await store.save_outcome(FIRST, "f", "ann", generated(owner), lease(owner))
        assert await is_free(store, REPLAY)


async def test_a_forgotten_user_has_no_lease(store: ResultStore) -> None:
    """Proves that erasing leaves nothing that names the request."""
    await store.look_up(FIRST, "f", "ann", lease("one"))
    await store.forget("ann")
    assert await is_free(store)


async def test_a_store_that_works_answers_a_ping(store: ResultStore) -> None:
    """Proves that a working store passes its health check."""
    await store.ping()


async def test_a_cancelled_caller_harms_nobody(store: ResultStore) -> None:
    """Proves that the others of its batch get their results."""
    doomed = asyncio.create_task(store.look_up(FIRST, "f", "ann"))
    other = asyncio.create_task(store.look_up(RequestIdentity("/shop", "r-2"), "f", "ann"))
    await asyncio.sleep(0)
    doomed.cancel()
    assert await other == Stored()


async def test_what_was_stored_survives_the_process(tmp_path: Path) -> None:
    """Proves that a killed process loses nothing that it was told is saved."""
    path = tmp_path / "results.db"
    script = (
        "import asyncio, os, signal, sys\n"
        "from pathlib import Path\n"
        "from tests.contracts.test_result_store import FIRST, paid, sqlite_store\n"
        "async def main():\n"
        "    await sqlite_store(Path(sys.argv[1])).save_answer(FIRST, 'f', 'ann', paid())\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, str(path))
    assert await process.wait() == -9
    store = sqlite_store(path)
    assert (await store.look_up(FIRST, "f", "ann")).answer == paid()
    await store.aclose()


async def test_two_processes_may_share_the_file(tmp_path: Path) -> None:
    """Proves that writers of two connections wait for each other instead of failing."""
    one, two = sqlite_store(tmp_path / "r.db"), sqlite_store(tmp_path / "r.db")
    names = [RequestIdentity("/shop", f"r-{n}") for n in range(50)]
    saves = [
        store.save_outcome(name, "f", "ann", failed()) for name in names for store in (one, two)
    ]
    await asyncio.gather(*saves)
    assert all([(await two.look_up(name, "f", "ann")).outcome for name in names])
    await one.aclose()
    await two.aclose()


async def test_two_processes_share_the_leases_of_a_file(tmp_path: Path) -> None:
    """Proves that of two replicas one has the lease of each request."""
    one, two = sqlite_store(tmp_path / "r.db"), sqlite_store(tmp_path / "r.db")
    names = [RequestIdentity("/shop", f"r-{n}") for n in range(20)]
    looks = [
        store.look_up(name, "f", "ann", lease(owner, name))
        for name in names
        for owner, store in (("one", one), ("two", two))
    ]
    assert sum(stored.busy for stored in await asyncio.gather(*looks)) == len(names)
    await one.aclose()
    await two.aclose()


async def test_leases_of_crashed_owners_are_pruned(tmp_path: Path, clock: StandingClock) -> None:
    """Proves that a call nobody ended leaves no row behind for ever."""
    store = sqlite_store(tmp_path / "r.db", clock)
    await store.look_up(FIRST, "f", "ann", lease("one"))
    clock.time += LEASE_S
    await store.look_up(RequestIdentity("/shop", "r-2"), "f", "ann")
    await store.aclose()
    with closing(sqlite3.connect(tmp_path / "r.db")) as file:
        assert file.execute("SELECT count(*) FROM leases").fetchone() == (0,)


async def test_a_file_from_before_the_leases_is_used_as_it_is(tmp_path: Path) -> None:
    """Proves that what is missing is added and that what was stored stays."""
    store = sqlite_store(tmp_path / "r.db")
    await store.save_answer(FIRST, "f", "ann", paid())
    await store.aclose()
    with closing(sqlite3.connect(tmp_path / "r.db")) as file, file:
        file.execute("DROP TABLE leases")
    store = sqlite_store(tmp_path / "r.db")
    assert await store.look_up(FIRST, "f", "ann", lease("one")) == Stored(answer=paid())
    await store.aclose()


async def test_only_the_owner_may_read_the_file(tmp_path: Path) -> None:
    """Proves the mode of the file and of its journal: both hold users' wishes."""
    store = sqlite_store(tmp_path / "r.db")
    await store.ping()
    modes = {stat.S_IMODE(path.stat().st_mode) for path in files_of(tmp_path)}
    assert modes == {0o600}
    await store.aclose()


async def test_a_forgotten_user_leaves_no_trace_in_the_file(tmp_path: Path) -> None:
    """Proves that erasing overwrites the pages and empties the journal."""
    stores = open_stores(f"sqlite:///{tmp_path / 'r.db'}", TTL_S, TTL_S)
    await stores.results.save_answer(FIRST, "f", "ann", paid("the secret wish"))
    await stores.answers.keep("k", "ann", paid("the secret wish"))
    assert await stores.forget("ann") == 1
    assert await stores.overwrite()
    assert not any(b"secret wish" in path.read_bytes() for path in files_of(tmp_path))
    await stores.aclose()


async def test_what_has_ended_is_pruned_bit_by_bit(tmp_path: Path, clock: StandingClock) -> None:
    """Proves that the file does not grow for ever, and that pruning never takes a big bite."""
    store = sqlite_store(tmp_path / "r.db", clock)
    for number in range(250):
        await store.save_outcome(RequestIdentity("/s", str(number)), "f", "ann", failed())
    clock.time += TTL_S
    left = []
    for _ in range(4):
        await store.look_up(FIRST, "f", "ann")
        with closing(sqlite3.connect(tmp_path / "r.db")) as file:
            left.append(file.execute("SELECT count(*) FROM outcomes").fetchone()[0])
    await store.aclose()
    assert left == [150, 50, 0, 0]


async def test_a_broken_file_is_reported_and_used_again_once_it_is_mended(tmp_path: Path) -> None:
    """Proves that the store is unavailable, never a crash, and heals by itself."""
    path = tmp_path / "r.db"
    path.write_bytes(b"this is no database, however long one looks at it" * 100)
    store = sqlite_store(path)
    with pytest.raises(StoreUnavailable, match=r"r\.db"):
        await store.look_up(FIRST, "f", "ann")
    path.unlink()
    assert await store.look_up(FIRST, "f", "ann") == Stored()
    await store.aclose()


async def test_a_ping_proves_that_the_file_can_be_written(tmp_path: Path) -> None:
    """Proves that a full disk is found: each ping writes, as another process sees."""
    store = sqlite_store(tmp_path / "r.db")
    await store.ping()
    with closing(sqlite3.connect(tmp_path / "r.db")) as other:
        versions = {other.execute("PRAGMA data_version").fetchone()}
        await store.ping()
        versions.add(other.execute("PRAGMA data_version").fetchone())
    await store.aclose()
    assert len(versions) == 2


async def test_a_full_disk_makes_the_store_unavailable(tmp_path: Path) -> None:
    """Proves that a full disk is told, and that nothing half-written stays."""
    store = sqlite_store(tmp_path / "r.db")
    await store.ping()
    thread = store._thread  # type: ignore[attr-defined]
    await thread.run(lambda connection: connection.execute("PRAGMA max_page_count=1").fetchone())
    with pytest.raises(StoreUnavailable, match="full"):
        await store.save_answer(FIRST, "f", "ann", paid("x" * 100_000))
    assert await store.look_up(FIRST, "f", "ann") == Stored()
    await store.aclose()


async def test_a_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    """Proves that a wrong path is an unavailable store with the path in its message."""
    (tmp_path / "file").write_text("in the way")
    store = sqlite_store(tmp_path / "file" / "r.db")
    with pytest.raises(StoreUnavailable, match=r"file/r\.db"):
        await store.ping()
    await store.aclose()


async def test_a_file_of_a_newer_release_is_left_alone(tmp_path: Path) -> None:
    """Proves that an old release never writes into a schema it does not know."""
    store = sqlite_store(tmp_path / "r.db")
    await store.ping()
    await store.aclose()
    with closing(sqlite3.connect(tmp_path / "r.db")) as file, file:
        file.execute("UPDATE schema_version SET version = 99")
    store = sqlite_store(tmp_path / "r.db")
    with pytest.raises(StoreUnavailable, match="newer release"):
        await store.ping()
    await store.aclose()


async def test_a_row_that_cannot_be_read_counts_as_nothing(tmp_path: Path) -> None:
    """Proves that a neighbouring release's way of writing stops no request."""
    store = sqlite_store(tmp_path / "r.db")
    await store.save_answer(FIRST, "f", "ann", paid())
    await store.save_outcome(FIRST, "f", "ann", failed())
    with closing(sqlite3.connect(tmp_path / "r.db")) as file, file:
        file.execute("UPDATE requests SET answer = '{}'")
        file.execute("UPDATE outcomes SET body = '{}'")
    assert await store.look_up(FIRST, "f", "ann") == Stored()
    await store.aclose()


async def test_a_closed_store_says_so(tmp_path: Path) -> None:
    """Proves that nobody waits for a thread that has ended."""
    store = sqlite_store(tmp_path / "r.db")
    await store.aclose()
    with pytest.raises(StoreUnavailable, match="closed"):
        await store.ping()


async def test_a_bug_in_an_operation_reaches_its_caller(tmp_path: Path) -> None:
    """Proves that an unforeseen error leaves nobody waiting and the store usable."""
    store = sqlite_store(tmp_path / "r.db")
    thread = store._thread  # type: ignore[attr-defined]
    with pytest.raises(StoreUnavailable, match="ZeroDivisionError"):
        await thread.run(lambda _: 1 / 0)
    await store.ping()
    await store.aclose()


@pytest.mark.parametrize("url", ["redis+unix://:secret@host/0", "sqlite:///", "", "postgres://x"])
def test_an_unknown_store_is_a_settings_error_without_secrets(url: str) -> None:
    """Proves that the message names the setting and the scheme, never a password."""
    with pytest.raises(SettingsError, match="JIRAIYA_STORE__URL") as caught:
        open_stores(url, TTL_S, 0)
    assert "secret" not in str(caught.value)
