"""A rebalance storm: members come and go all the time, under load."""

import subprocess
import sys

import pytest

from tests.blackbox.load import SteadyLoad
from tests.blackbox.service import ROOT
from tests.blackbox.world import World

SEED = 21
REQUESTS = 300
STORM_S = 20


@pytest.mark.timeout(180)
def test_a_rebalance_storm_loses_and_doubles_nothing(world: World) -> None:
    """Two services, and one that joins, takes partitions and leaves again all the time."""
    world.endpoint.configure(latency={"kind": "lognormal", "seconds": 0.3, "longest": 1.0})
    services = [world.service().start() for _ in range(2)]
    for service in services:
        service.wait_ready()
    arguments = (world.bootstrap, world.group, world.requested, str(STORM_S))
    joining = subprocess.Popen(
        (sys.executable, "-m", "tests.chaos.programs.joining", *arguments),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        with SteadyLoad(world, per_second=REQUESTS / STORM_S, total=REQUESTS, seed=SEED):
            joined = int(joining.communicate(timeout=STORM_S * 4)[0])
    finally:
        joining.kill()
        joining.wait()
    world.outcomes(REQUESTS, timeout_s=60)
    found = world.judgement()
    calls = world.endpoint.stats()["calls"]
    print(f"\n{found}; {calls} calls; {joined} joined and left")  # noqa: T201
    assert not found.problems, f"seed {SEED}: {found.problems[:5]}"
    assert joined >= 3, "there was no storm"
    assert calls == REQUESTS, "a partition that moves in peace pays for no call twice"
