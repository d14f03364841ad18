"""Coordinators and leaders move between two brokers, under load."""

import asyncio
from pathlib import Path

import pytest

from tests.blackbox.load import SteadyLoad
from tests.blackbox.waiting import wait_until
from tests.blackbox.world import World
from tests.chaos.at_rest import judged_at_rest
from tests.chaos.two_brokers import FIRST, SECOND, TwoBrokers, two_brokers

SEED = 5
REQUESTS = 300


@pytest.mark.timeout(240)
async def test_coordinators_that_move_lose_and_double_nothing(tmp_path: Path) -> None:
    """A controlled stop moves them away and an election back, twice, in the middle of it all."""
    async with two_brokers(tmp_path) as cluster:
        with World(cluster.bootstrap, tmp_path, replicas=2) as world:
            await asyncio.to_thread(world.create_topics)
            world.endpoint.configure(latency={"kind": "lognormal", "seconds": 0.3, "longest": 1.0})
            for service in [world.service().start() for _ in range(2)]:
                await asyncio.to_thread(service.wait_ready)
            with SteadyLoad(world, per_second=12, total=REQUESTS, seed=SEED) as load:
                await _coordinated_by(cluster, {FIRST, SECOND})
                for move in range(2):
                    await _calls(world, 60 * (2 * move + 1))
                    await cluster.move_away_from_the_second()
                    await _coordinated_by(cluster, {FIRST})
                    await _calls(world, 60 * (2 * move + 2))
                    await asyncio.to_thread(cluster.move_back)
                    await _coordinated_by(cluster, {FIRST, SECOND})
                await asyncio.to_thread(load.join)
            await asyncio.to_thread(world.outcomes, REQUESTS, 90)
            found = await asyncio.to_thread(judged_at_rest, world)
            print(f"\n{found}; {world.endpoint.stats()['calls']} calls")  # noqa: T201
            assert not found.problems, f"seed {SEED}: {found.problems[:5]}"


async def _coordinated_by(cluster: TwoBrokers, brokers: set[int]) -> None:
    """Wait until the metadata say so: a broker that has just started may be behind."""

    def so() -> bool:
        return cluster.coordinators() == brokers

    await asyncio.to_thread(wait_until, so, 20, f"the coordinators are brokers {brokers}")


async def _calls(world: World, least: int) -> None:
    def enough() -> bool:
        return bool(world.endpoint.stats()["calls"] >= least)

    await asyncio.to_thread(wait_until, enough, 60, f"{least} calls were made")
