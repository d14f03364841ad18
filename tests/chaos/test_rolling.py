"""A rollout: one service after the other is stopped and replaced, under load."""

import pytest

from tests.blackbox.load import SteadyLoad
from tests.blackbox.world import World
from tests.chaos.at_rest import judged_at_rest
from tests.chaos.patience import patient

SEED = 13
REQUESTS = 250


@pytest.mark.timeout(150)
def test_a_rolling_restart_loses_doubles_and_pays_for_nothing_twice(world: World) -> None:
    """What was drained is committed; what waited is the next owner's, with nothing cut."""
    world.endpoint.configure(latency={"kind": "lognormal", "seconds": 0.3, "longest": 1.0})
    services = [patient(world) for _ in range(2)]
    for service in services:
        service.wait_ready()
    with SteadyLoad(world, per_second=12, total=REQUESTS, seed=SEED):
        for service in services:
            service.terminate()
            service.start().wait_ready()
    world.outcomes(REQUESTS, timeout_s=60)
    found = judged_at_rest(world)
    stats = world.endpoint.stats()
    assert not found.problems, f"seed {SEED}: {found.problems[:5]}"
    assert (stats["calls"], stats["aborted"]) == (REQUESTS, 0)
