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
TOTAL = 500
MISSING = "has no terminal event"
STUCK = re.compile(r"starting a new epoch for [^\n]*?TimeoutError\(\)")


@pytest.mark.timeout(300)
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
        with SteadyLoad(world, per_second=25, total=TOTAL, seed=SEED) as load:
            for death in range(DEATHS):
                await _calls(world, 120 * (death + 1))
                await own_kafka.kill()
                await own_kafka.restart()
            await asyncio.to_thread(load.join)
        stuck = await _is_stuck(world, own_kafka)
        found = await asyncio.to_thread(world.judgement)
        print(f"\n{found}; {world.endpoint.stats()['calls']} calls")  # noqa: T201
        wrong = [p for p in found.problems if not (stuck and p.endswith(MISSING))]
        assert not wrong, f"seed {SEED}: {wrong[:5]}"
        if stuck:
            pytest.xfail(f"InitProducerId finds no end after the broker's crash; {found}")
        for service in services:
            await asyncio.to_thread(service.terminate)


async def _is_stuck(world: World, kafka: EmbeddedKafka) -> bool:
    """Wait for every outcome; tell whether some are missing for the one reason that is excused.

    In one of 21 counted runs, on a busy machine, InitProducerId for one transactional id found no
    end for 90 s after the restart. It is not understood. Only that is excused, seen at least three
    times: failing to connect while the broker is down is not. And it excuses what is missing, never
    what is wrong with the rest.
    """
    try:
        await asyncio.to_thread(world.outcomes, TOTAL, 90)
    except AssertionError:
        broker = kafka.log_path.read_text(encoding="utf-8", errors="replace")
        said = [line for line in broker.splitlines() if "ransaction" in line]
        print("\n".join(said[-60:]))  # noqa: T201 - for whoever meets it again
        if not any(len(STUCK.findall(service.log)) >= 3 for service in world.services):
            raise
        return True
    return False


async def _calls(world: World, least: int) -> None:
    def enough() -> bool:
        return bool(world.endpoint.stats()["calls"] >= least)

    await asyncio.to_thread(wait_until, enough, 60, f"{least} calls were made")
