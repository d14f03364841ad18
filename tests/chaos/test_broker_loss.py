"""The broker dies as a crash would and comes back, while stories are written."""

import asyncio
import re
from pathlib import Path

import pytest

from jiraiya_events.adapters.embedded import EmbeddedKafka
from tests.blackbox.load import SteadyLoad
from tests.blackbox.waiting import wait_until
from tests.blackbox.world import World

SEED = 11
DEATHS = 2
STUCK = re.compile(r"starting a new epoch for [^\n]*?TimeoutError\(\)")


@pytest.mark.timeout(240)
async def test_a_broker_killed_under_load_loses_and_doubles_nothing(
    own_kafka: EmbeddedKafka, tmp_path: Path
) -> None:
    """Two services, two `kill -9` of the broker, two restarts on the same data."""
    with World(own_kafka.bootstrap_servers, tmp_path) as world:
        world.create_topics()
        world.endpoint.configure(latency={"kind": "lognormal", "seconds": 0.3, "longest": 1.0})
        services = [world.service().start() for _ in range(2)]
        for service in services:
            await asyncio.to_thread(service.wait_ready)
        with SteadyLoad(world, per_second=25, total=500, seed=SEED) as load:
            for death in range(DEATHS):
                await _calls(world, 120 * (death + 1))
                await own_kafka.kill()
                await own_kafka.restart()
            await asyncio.to_thread(load.join)
        await _all_answered(world)
        found = await asyncio.to_thread(world.judgement)
        print(f"\n{found}; {world.endpoint.stats()['calls']} calls")  # noqa: T201
        assert not found.problems, f"seed {SEED}: {found.problems[:5]}"
        for service in services:
            await asyncio.to_thread(service.terminate)


async def _all_answered(world: World) -> None:
    """Wait for every outcome.

    In one of 21 counted runs, on a busy machine, InitProducerId for one transactional id found no
    end for 90 s after the restart. It is not understood, and that run was not judged further. Only
    that is excused, seen at least three times: failing to connect while the broker is down is not.
    """
    try:
        await asyncio.to_thread(world.outcomes, 500, 90)
    except AssertionError:
        if any(len(STUCK.findall(service.log)) >= 3 for service in world.services):
            for service in world.services:
                service.expected_to_end_badly = True
            pytest.xfail("the broker does not end a transaction after its crash")
        raise


async def _calls(world: World, least: int) -> None:
    def enough() -> bool:
        return bool(world.endpoint.stats()["calls"] >= least)

    await asyncio.to_thread(wait_until, enough, 60, f"{least} calls were made")
