"""The broker dies as a crash would and comes back, while stories are written."""

import asyncio
from pathlib import Path

import pytest

from jiraiya_events.adapters.embedded import EmbeddedKafka
from tests.blackbox.load import SteadyLoad
from tests.blackbox.waiting import wait_until
from tests.blackbox.world import World
from tests.chaos.at_rest import judged_at_rest

SEED = 11
DEATHS = 2
TOTAL = 500
MISSING = "has no terminal event"
LEFT_OUT = "Couldn't find leader endpoint for partitions"
"""What the broker says when it takes a transaction's partitions for deleted (KAFKA-20734)."""


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
        found = await asyncio.to_thread(judged_at_rest, world)
        print(f"\n{found}; {world.endpoint.stats()['calls']} calls")  # noqa: T201
        wrong = [p for p in found.problems if not (stuck and p.endswith(MISSING))]
        assert not wrong, f"seed {SEED}: {wrong[:5]}"
        if stuck:
            pytest.xfail(f"the broker has left a transaction without its end; {found}")


async def _is_stuck(world: World, kafka: EmbeddedKafka) -> bool:
    """Wait for every outcome; tell whether some are missing for the one reason that is excused.

    That is a defect of the broker's, described in docs/TROUBLESHOOTING.md ("A transaction that
    hangs"): only where its own log has the words is it to blame. It excuses what is missing, never
    what is wrong with the rest.
    """
    try:
        await asyncio.to_thread(world.outcomes, TOTAL, 90)
    except AssertionError:
        broker = kafka.log_path.read_text(encoding="utf-8", errors="replace")
        said = [line for line in broker.splitlines() if "ransaction" in line]
        print("\n".join(said[-60:]))  # noqa: T201 - for whoever meets it again
        if LEFT_OUT not in broker:
            raise
        return True
    return False


async def _calls(world: World, least: int) -> None:
    def enough() -> bool:
        return bool(world.endpoint.stats()["calls"] >= least)

    await asyncio.to_thread(wait_until, enough, 60, f"{least} calls were made")
