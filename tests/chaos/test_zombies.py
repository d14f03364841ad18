"""A service frozen past every time-out wakes up and believes that it still owns its partitions."""

import random
import signal
import threading

import pytest

from tests.blackbox.load import SteadyLoad
from tests.blackbox.waiting import wait_until
from tests.blackbox.world import World

SEED = 7
FROZEN_S = 13.0
"""Longer than the session's and the transaction's 10 s."""


@pytest.mark.timeout(240)
def test_a_zombie_that_wakes_up_publishes_nothing_twice(world: World) -> None:
    """Two services take turns in being frozen for 13 s under load."""
    world.endpoint.configure(latency={"kind": "lognormal", "seconds": 0.3, "longest": 1.0})
    services = [world.service().start() for _ in range(2)]
    for service in services:
        service.wait_ready()
    rng = random.Random(SEED)
    with SteadyLoad(world, per_second=25, total=700, seed=SEED):
        for service in services:
            _work(world, rng.randrange(10, 40))
            service.send(signal.SIGSTOP)
            threading.Event().wait(FROZEN_S)
            service.send(signal.SIGCONT)
    world.outcomes(700, timeout_s=60)
    found = world.judgement()
    print(f"\n{found}; {world.endpoint.stats()['calls']} calls")  # noqa: T201
    assert not found.problems, f"seed {SEED}: {found.problems[:5]}"
    for service in services:
        assert service.status("/health/live") == 200
        service.wait_ready(20)


def _work(world: World, calls: int) -> None:
    least = world.endpoint.stats()["calls"] + calls
    wait_until(lambda: bool(world.endpoint.stats()["calls"] >= least), 30, "work goes on")
