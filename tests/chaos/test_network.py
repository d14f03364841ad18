"""The network between services and broker is slow, falls silent and is cut, under load."""

import asyncio
import random
import threading
from pathlib import Path

import pytest

from tests.blackbox.load import SteadyLoad
from tests.blackbox.requests import plain
from tests.blackbox.tcp_proxy import TcpProxy
from tests.blackbox.waiting import wait_until
from tests.blackbox.world import World
from tests.chaos.at_rest import judged_at_rest
from tests.chaos.proxied import proxied_kafka

SEED = 20_261_124
QUIET_BYTES = 20_000
"""Less than this in a second is heartbeats and the like."""

LONG_SILENCE_S = 14.0
"""Past the session's 10 s and the transaction's 10 s: the group and the coordinator give up."""


@pytest.mark.timeout(240)
async def test_a_network_that_fails_in_every_way_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """Delays, cuts, short silences, and one long enough that everybody is expelled."""
    rng = random.Random(SEED)
    history: list[str] = []
    async with proxied_kafka() as kafka:
        with World(kafka.direct, tmp_path) as world:
            await asyncio.to_thread(world.create_topics)
            world.endpoint.configure(latency={"kind": "lognormal", "seconds": 0.3, "longest": 1.0})
            services = [
                world.service(KAFKA__BOOTSTRAP_SERVERS=kafka.through).start() for _ in range(2)
            ]
            for service in services:
                await asyncio.to_thread(service.wait_ready)
            with SteadyLoad(world, per_second=15, seed=SEED) as load:
                await asyncio.to_thread(_trouble, kafka.network, rng, history)
                sent = await asyncio.to_thread(load.end)
            await asyncio.to_thread(world.outcomes, sent, 90)
            found = await asyncio.to_thread(judged_at_rest, world)
            print(f"\n{found}; {world.endpoint.stats()['calls']} calls; {history}")  # noqa: T201
            assert not found.problems, f"seed {SEED}: {found.problems[:5]} after {history}"


@pytest.mark.timeout(120)
async def test_a_paused_partition_is_not_fetched_in_a_loop(tmp_path: Path) -> None:
    """With the breaker open and more waiting than is accepted, next to nothing is transferred."""
    waiting, size = 4_000, 1_000
    async with proxied_kafka() as kafka:
        with World(kafka.direct, tmp_path, partitions=1) as world:
            await asyncio.to_thread(world.create_topics)
            world.endpoint.configure(default="error_503")
            service = world.service(
                KAFKA__BOOTSTRAP_SERVERS=kafka.through,
                BREAKER__OPEN_S="60",
                ENGINE__MAX_IN_FLIGHT="20",
            )
            await asyncio.to_thread(lambda: service.start().wait_ready())
            metadata = {f"pad{n}": "x" * 250 for n in range(size // 250)}
            requests = (
                plain(f"r{n}", f"user-{n}", metadata=metadata, timeout_ms=600_000)
                for n in range(waiting)
            )
            await asyncio.to_thread(world.publish, requests)

            def full() -> bool:
                return service.metric("jiraiya_waiting") >= 1_400

            await asyncio.to_thread(wait_until, full, 40, "as much waits as is accepted")
            await asyncio.to_thread(_wait_for_quiet, kafka.network)
            before = kafka.network.bytes_down
            await asyncio.sleep(5)
            transferred = kafka.network.bytes_down - before
            assert transferred < waiting * size / 20, f"{transferred} bytes while paused"
            world.endpoint.configure(default="ok")


@pytest.mark.timeout(120)
async def test_a_service_stops_in_time_while_no_broker_answers(tmp_path: Path) -> None:
    """Calls run, outcomes wait to be committed, and the network swallows everything."""
    drain_s, beyond_s, interpreter_s = 1, 15, 5
    async with proxied_kafka() as kafka:
        with World(kafka.direct, tmp_path, partitions=2) as world:
            await asyncio.to_thread(world.create_topics)
            world.endpoint.configure(latency={"kind": "lognormal", "seconds": 0.5, "longest": 5.0})
            service = world.service(
                KAFKA__BOOTSTRAP_SERVERS=kafka.through, ENGINE__DRAIN_TIMEOUT_S=str(drain_s)
            )
            await asyncio.to_thread(lambda: service.start().wait_ready())
            await asyncio.to_thread(
                world.publish, (plain(f"r{n}", f"user-{n}", stream=True) for n in range(200))
            )

            def busy() -> bool:
                return service.metric("jiraiya_in_flight") >= 5

            await asyncio.to_thread(wait_until, busy, 40, "calls are under way")
            kafka.network.silence()
            took_s = await asyncio.to_thread(service.terminate, 60)
            assert took_s < drain_s + beyond_s + interpreter_s, f"{took_s:.1f} s"


def _wait_for_quiet(network: TcpProxy) -> None:
    """What was under way arrives first, however late: up to a whole fetch of 1 MiB.

    Two looks in a row must agree: a machine that stands still is quiet too, for one.
    """
    wait_until(
        lambda: all(_transferred(network) < QUIET_BYTES for _ in range(2)),
        40,
        "what was under way has arrived",
    )


def _transferred(network: TcpProxy) -> int:
    """Return how many bytes the services were sent within a second."""
    before = network.bytes_down
    _pause(1)
    return network.bytes_down - before


def _trouble(network: TcpProxy, rng: random.Random, history: list[str]) -> None:
    """Make trouble of each kind, in seeded order, with good times between."""
    kinds = ["delay", "cut", "silence", "silence then cut", "long silence"]
    rng.shuffle(kinds)
    for kind in kinds:
        history.append(kind)
        if kind == "delay":
            network.latency_s = 0.2
            _pause(rng.uniform(3, 5))
            network.latency_s = 0.0
        if "silence" in kind:
            network.silence()
            _pause(LONG_SILENCE_S if kind.startswith("long") else rng.uniform(1, 3))
        if "cut" in kind:
            network.cut()
        network.speak()
        _pause(rng.uniform(1, 2))


def _pause(seconds: float) -> None:
    """Let the load go on; it is the chaos that has no signal to wait for."""
    threading.Event().wait(seconds)
