"""The store in Redis: replicas, outages, and what an operator sees of it. A real server each."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from jiraiya_events.adapters.store import redis_connection, silence
from jiraiya_events.adapters.store.open_store import Stores, open_stores
from jiraiya_events.adapters.store.redis_connection import Call, Script
from jiraiya_events.domain.errors import StoreUnavailable
from jiraiya_events.domain.identity import RequestIdentity
from jiraiya_events.generation.result_store import Lease, Stored
from tests.blackbox.service import free_port
from tests.blackbox.tcp_proxy import TcpProxy
from tests.blackbox.waiting import wait_until
from tests.contracts.test_result_store import FIRST, failed, generated, lease, paid
from tests.integration.test_secured_kafka import make_certificate
from tests.redis_server import PATIENCE_S, RedisServer

TTL_S = 1000.0
PASSWORD = "made-up+for a/test"
QUOTED = "made-up%2Bfor%20a%2Ftest"


@pytest.fixture
async def stores(own_redis: RedisServer) -> AsyncIterator[Stores]:
    """Open a store on a server that the test may break."""
    opened = open_stores(own_redis.url, TTL_S, TTL_S)
    yield opened
    await opened.aclose()


@pytest.fixture
async def replicas(redis_url: str) -> AsyncIterator[tuple[Stores, Stores]]:
    """Open one store twice, as two replicas of the service do."""
    one, two = open_stores(redis_url, TTL_S, 0), open_stores(redis_url, TTL_S, 0)
    yield one, two
    await one.aclose()
    await two.aclose()


def named(number: int) -> RequestIdentity:
    """Return one of many requests."""
    return RequestIdentity("/shop", f"r-{number}")


async def says(server: RedisServer, text: bytes, *words: str) -> None:
    """Wait until the answer to a command has this in it; the loop goes on meanwhile."""
    await asyncio.to_thread(wait_until, lambda: text in server.command(*words), 20, text.decode())


async def test_of_two_replicas_one_has_the_lease_of_each_request(
    replicas: tuple[Stores, Stores],
) -> None:
    """Proves that asked for the same id at once, one is to call the model and one to wait."""
    looks = [
        store.results.look_up(named(number), "f", "ann", Lease(named(number), owner, 600.0))
        for number in range(100)
        for owner, store in zip("ab", replicas, strict=True)
    ]
    stored = await asyncio.gather(*looks)
    assert [one.busy + two.busy for one, two in zip(stored[::2], stored[1::2], strict=True)] == (
        [1] * 100
    )


async def test_of_two_replicas_one_decides_the_outcome(replicas: tuple[Stores, Stores]) -> None:
    """Proves that both publish the same under one event id."""
    saves = [
        store.results.save_outcome(FIRST, "f", "ann", generated(title))
        for title in ("one", "two", "three")
        for store in replicas
    ]
    assert len({outcome.model_dump_json() for outcome in await asyncio.gather(*saves)}) == 1


async def test_a_lease_ends_by_the_servers_clock(replicas: tuple[Stores, Stores]) -> None:
    """Proves that a crashed owner is in the way for its time and no longer."""
    one, two = (stores.results for stores in replicas)
    await one.look_up(FIRST, "f", "ann", Lease(FIRST, "crashed", 0.2))
    wanted = lease("next")

    async with asyncio.timeout(30):
        while (await two.look_up(FIRST, "f", "ann", wanted)).busy:
            continue


async def test_a_user_of_many_requests_is_forgotten_whole(
    replicas: tuple[Stores, Stores], redis_server: RedisServer
) -> None:
    """Proves it beyond what is erased at once, and that no key of theirs is left."""
    one, two = (stores.results for stores in replicas)
    for first in range(0, 1100, 100):
        some = [named(first + number) for number in range(100)]
        await asyncio.gather(*(one.look_up(n, "f", "ann", Lease(n, "a", 600.0)) for n in some))
    assert await two.forget("ann") == 1100
    assert redis_server.command("DBSIZE") == b":0\r\n"


async def test_the_index_of_a_user_does_not_grow_for_ever(
    replicas: tuple[Stores, Stores], redis_url: str, redis_server: RedisServer
) -> None:
    """Proves that somebody who never stops asking is not remembered with all that has ended."""
    await replicas[0].results.look_up(named(1), "f", "ann")
    brief = open_stores(redis_url, 0.05, 0)
    await brief.results.look_up(named(2), "f", "ann")
    await brief.aclose()
    await says(redis_server, b":2\r\n", "DBSIZE")
    await replicas[0].results.look_up(named(3), "f", "ann")
    (index,) = re.findall(rb"jiraiya:user:[^\r]+", redis_server.command("KEYS", "jiraiya:user:*"))
    assert redis_server.command("ZCARD", index.decode()) == b":2\r\n"


async def test_keys_tell_nobody_whose_they_are(
    replicas: tuple[Stores, Stores], redis_server: RedisServer
) -> None:
    """Proves that a list of keys, which any monitoring takes, names no user and no request."""
    store = replicas[0].results
    await store.look_up(RequestIdentity("/shop", "r-1"), "f", "ann@example.org", lease("one"))
    keys = redis_server.command("KEYS", "*")
    assert keys.startswith(b"*3\r\n")
    assert not any(word in keys for word in (b"ann", b"shop", b"r-1"))


async def test_an_entry_that_cannot_be_read_counts_as_nothing(stores: Stores) -> None:
    """Proves that a neighbouring release's way of writing stops no request."""
    await stores.results.save_answer(FIRST, "f", "ann", paid())
    await stores.results.save_outcome(FIRST, "f", "ann", failed())
    assert stores.redis is not None
    spoil = Script(
        "for _, key in ipairs(redis.call('KEYS', '*:request')) do "
        "redis.call('HSET', key, 'answer', '{}', 'outcome 1', 'failed {}') end"
    )
    await stores.redis.run(Call(spoil, []))
    assert await stores.results.look_up(FIRST, "f", "ann") == Stored()


async def test_a_store_that_is_down_is_unavailable_until_it_is_back(
    own_redis: RedisServer, stores: Stores
) -> None:
    """Proves that it is told with its address, and that the scripts a restart lost are sent."""
    await stores.results.look_up(FIRST, "f", "ann")
    own_redis.stop()
    with pytest.raises(StoreUnavailable, match=f"127.0.0.1:{own_redis.port}/0 cannot be used"):
        await stores.results.ping()
    own_redis.start()
    await stores.results.save_answer(FIRST, "f", "ann", paid())
    assert (await stores.results.look_up(FIRST, "f", "ann")).answer == paid()


async def test_a_restart_between_two_requests_is_not_noticed(
    own_redis: RedisServer, stores: Stores
) -> None:
    """Proves that sockets which the server closed meanwhile are replaced, all of them."""
    looks = [stores.results.look_up(named(number), "f", "ann") for number in range(20)]
    await asyncio.gather(*looks)
    # In a thread: the loop goes on, and hears that the sockets are closed.
    await asyncio.to_thread(own_redis.stop)
    await asyncio.to_thread(own_redis.start)
    looks = [stores.results.look_up(named(number), "f", "ann") for number in range(20)]
    assert await asyncio.gather(*looks) == [Stored()] * 20


async def test_forgotten_scripts_are_sent_again(own_redis: RedisServer, stores: Stores) -> None:
    """Proves that a flush, or a failover to a replica that never saw them, costs no request."""
    await stores.results.save_answer(FIRST, "f", "ann", paid())
    assert own_redis.command("SCRIPT", "FLUSH") == b"+OK\r\n"
    assert (await stores.results.look_up(FIRST, "f", "ann")).answer == paid()


async def test_a_store_that_hangs_is_given_up_in_time(
    own_redis: RedisServer, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Proves that nobody waits for it longer than the bound, however many ask."""
    await stores.results.ping()
    monkeypatch.setattr(redis_connection, "_IN_ALL_S", 0.3)
    assert own_redis.command("CLIENT", "PAUSE", "600000", "WRITE") == b"+OK\r\n"
    looks = [stores.results.look_up(named(number), "f", "ann") for number in range(100)]
    ends = await asyncio.wait_for(asyncio.gather(*looks, return_exceptions=True), 60)
    assert {type(end) for end in ends} == {StoreUnavailable}
    assert all("did not answer in time" in str(end) for end in ends)


async def fall_silent(server: RedisServer, stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the server hang, and one look-up find that out."""
    await stores.results.ping()
    assert server.command("CLIENT", "PAUSE", "600000", "WRITE") == b"+OK\r\n"
    with monkeypatch.context() as impatient:
        impatient.setattr(redis_connection, "_IN_ALL_S", 0.3)
        with pytest.raises(StoreUnavailable):
            await stores.results.look_up(FIRST, "f", "ann")


async def test_a_store_that_hangs_is_asked_now_and_then_only(
    own_redis: RedisServer, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Proves that after one time-out nobody else pays for it."""
    monkeypatch.setattr(silence, "QUIET_S", 3600.0)
    await fall_silent(own_redis, stores, monkeypatch)
    # Each of these would wait for as long by itself.
    async with asyncio.timeout(PATIENCE_S):
        for number in range(20):
            with pytest.raises(StoreUnavailable, match="did not answer in time"):
                await stores.results.look_up(named(number), "f", "ann")


async def test_the_end_of_a_hang_is_found_out(
    own_redis: RedisServer, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Proves that one in a while is let through, and with its answer everybody."""
    await fall_silent(own_redis, stores, monkeypatch)
    assert own_redis.command("CLIENT", "UNPAUSE") == b"+OK\r\n"
    async with asyncio.timeout(60):
        while await is_down(stores):
            continue
    looks = [stores.results.look_up(named(number), "f", "ann") for number in range(5)]
    assert await asyncio.gather(*looks) == [Stored()] * 5


async def is_down(stores: Stores) -> bool:
    """Tell whether the store is unavailable; takes a moment if so."""
    try:
        await stores.results.ping()
    except StoreUnavailable:
        await asyncio.sleep(0.05)
        return True
    return False


async def test_a_cancelled_caller_leaves_its_answer_to_nobody(
    own_redis: RedisServer, stores: Stores
) -> None:
    """Proves that no later caller is given what an earlier one asked for."""
    assert stores.redis is not None
    echo = Script("redis.call('SET', 'k', ARGV[1]); return ARGV[1]")
    await stores.redis.run(Call(echo, [], ["warm"]))
    own_redis.command("CLIENT", "PAUSE", "600000", "WRITE")
    doomed = [
        asyncio.create_task(stores.redis.run(Call(echo, [], [f"doomed {number}"])))
        for number in range(40)
    ]
    await says(own_redis, b"blocked_clients:32", "INFO", "clients")
    for task in doomed:
        task.cancel()
    await asyncio.gather(*doomed, return_exceptions=True)
    own_redis.command("CLIENT", "UNPAUSE")
    asked = [f"{number}" for number in range(40)]
    answers = await asyncio.gather(*(stores.redis.run(Call(echo, [], [text])) for text in asked))
    assert [text for (text,) in answers] == asked


async def test_a_replica_that_cannot_be_written_to_is_unavailable(
    own_redis: RedisServer, stores: Stores
) -> None:
    """Proves that after a failover the old primary is told apart, and what to set."""
    own_redis.command("REPLICAOF", "127.0.0.1", "1")
    with pytest.raises(StoreUnavailable, match="set JIRAIYA_STORE__URL to the primary"):
        await stores.results.ping()
    own_redis.command("REPLICAOF", "NO", "ONE")
    await stores.results.ping()


async def test_after_a_failover_the_name_is_asked_where_the_primary_is(
    own_redis: RedisServer, redis_server: RedisServer, redis_url: str
) -> None:
    """Proves that no socket stays at the old primary, which is a replica now and closes none."""
    with TcpProxy(free_port(), own_redis.port) as name:
        stores = open_stores(f"redis://127.0.0.1:{name.port}/0", TTL_S, 0)
        # A socket for each: all of them are at the old primary.
        await asyncio.gather(*(stores.results.look_up(named(n), "f", "ann") for n in range(5)))
        own_redis.command("REPLICAOF", "127.0.0.1", str(redis_server.port))
        name.target = redis_server.port
        with pytest.raises(StoreUnavailable, match="ReadOnlyError"):
            await stores.results.ping()
        await asyncio.gather(
            *(stores.results.save_answer(named(n), "f", "a", paid()) for n in range(9))
        )
        await stores.aclose()


async def test_a_full_store_is_unavailable(own_redis: RedisServer, stores: Stores) -> None:
    """Proves that a full server which evicts nothing is said to be full."""
    own_redis.command("CONFIG", "SET", "maxmemory", "1")
    with pytest.raises(StoreUnavailable, match="it is full"):
        await stores.results.look_up(FIRST, "f", "ann")
    own_redis.command("CONFIG", "SET", "maxmemory", "0")
    assert await stores.results.look_up(FIRST, "f", "ann") == Stored()


async def test_a_script_that_fails_is_no_crash(stores: Stores) -> None:
    """Proves that whatever the server objects to is an unavailable store, in one call or many."""
    assert stores.redis is not None
    bad, good = Call(Script("return nonsense()"), []), Call(Script("return 1"), [])
    for calls in ((bad,), (good, bad)):
        with pytest.raises(StoreUnavailable, match="ResponseError"):
            await stores.redis.run(*calls)
    assert await stores.redis.run(good, good) == [1, 1]


async def test_nothing_to_run_is_no_error(own_redis: RedisServer, stores: Stores) -> None:
    """Proves that renewing no lease asks nobody."""
    own_redis.stop()
    await stores.results.renew([])


async def test_a_closed_store_says_so(stores: Stores) -> None:
    """Proves that a closed connection does not open itself again."""
    await stores.results.ping()
    await stores.aclose()
    with pytest.raises(StoreUnavailable, match="closed"):
        await stores.results.ping()


async def ping(url: str) -> None:
    """Connect, write and close."""
    stores = open_stores(url, TTL_S, 0)
    try:
        await stores.results.ping()
    finally:
        await stores.aclose()


@pytest.fixture
def guarded_redis(tmp_path: Path) -> RedisServer:
    """Return a server with a password."""
    return RedisServer(tmp_path, "--requirepass", PASSWORD)


async def test_user_and_password_come_from_the_address(guarded_redis: RedisServer) -> None:
    """Proves that they are unescaped, and that a wrong one is told without being shown."""
    guarded_redis.start()
    try:
        address = f"127.0.0.1:{guarded_redis.port}/0"
        await ping(f"redis://:{QUOTED}@{address}")
        await ping(f"redis://default:{QUOTED}@{address}")
        for url in (f"redis://{address}", f"redis://:wrong-{QUOTED}@{address}"):
            with pytest.raises(StoreUnavailable, match="Authentication") as caught:
                await ping(url)
            assert "made-up" not in str(caught.value)
            assert caught.value.__cause__ is None
    finally:
        guarded_redis.stop()


async def test_a_server_that_repeats_the_password_is_not_repeated(tmp_path: Path) -> None:
    """Proves it for one that does not know the command by which it is given."""
    server = RedisServer(tmp_path, "--rename-command", "AUTH", "")
    server.start()
    try:
        with pytest.raises(StoreUnavailable, match="unknown command") as caught:
            await ping(f"redis://:{QUOTED}@127.0.0.1:{server.port}/0")
    finally:
        server.stop()
    assert "***" in str(caught.value)
    assert "made-up" not in str(caught.value)


async def test_the_way_can_be_encrypted(tmp_path: Path) -> None:
    """Proves that rediss:// checks the certificate, and goes through with one it knows."""
    certificate, both = make_certificate(tmp_path)
    port = free_port()
    tls = ["--tls-port", str(port), "--tls-auth-clients", "no"]
    files = ["--tls-cert-file", str(both), "--tls-key-file", str(both)]
    server = RedisServer(tmp_path, *tls, *files)
    server.start()
    try:
        await ping(f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={certificate}")
        with pytest.raises(StoreUnavailable, match=r"(?i)certificate"):
            await ping(f"rediss://127.0.0.1:{port}/0")
    finally:
        server.stop()


async def test_what_belongs_together_is_in_one_hash_slot(tmp_path: Path) -> None:
    """Proves that a server in cluster mode, which refuses anything else, is content."""
    server = RedisServer(tmp_path, "--cluster-enabled", "yes", "--cluster-port", str(free_port()))
    server.start()
    try:
        assert server.command("CLUSTER", "ADDSLOTSRANGE", "0", "16383") == b"+OK\r\n"
        await says(server, b"cluster_state:ok", "CLUSTER", "INFO")
        stores = open_stores(server.url, TTL_S, TTL_S)
        for number in range(5):
            await stores.results.look_up(named(number), "f", "ann", Lease(named(number), "a", 9.0))
            await stores.results.save_answer(named(number), "f", "ann", paid())
            await stores.results.replace_body(named(number), "g", "ann")
            await stores.results.save_outcome(named(number), "f", "ann", failed(), lease("a"))
            await stores.answers.keep(f"k{number}", "ann", paid())
        await stores.results.renew([Lease(named(number), "a", 9.0) for number in range(5)])
        assert await stores.forget("ann") == 5
        await stores.aclose()
    finally:
        server.stop()


async def test_no_caller_waits_while_another_has_many_turns(stores: Stores) -> None:
    """Proves fairness: the pool alone would let the first sockets' owners finish before others."""
    assert stores.redis is not None
    connection = stores.redis
    done = [0] * 100
    least_at_first_end: list[int] = []

    async def ask(caller: int) -> None:
        for _ in range(10):
            await connection.run(Call(Script("return 1"), ("{any}",)))
            done[caller] += 1
        if not least_at_first_end:
            least_at_first_end.append(min(done))

    await asyncio.gather(*map(ask, range(100)))
    assert least_at_first_end[0] >= 8
