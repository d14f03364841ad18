"""A rebalance storm: members come and go all the time, under load."""

import subprocess
import sys

import pytest

from tests.blackbox.load import SteadyLoad
from tests.blackbox.service import ROOT
from tests.blackbox.world import World
from tests.chaos.at_rest import judged_at_rest
from tests.chaos.patience import patient

SEED = 21
STORM_S = 20
LEAST = 3
"""How often somebody joins at least, however long that takes."""


@pytest.mark.timeout(180)
def test_a_rebalance_storm_loses_and_doubles_nothing(world: World) -> None:
    """Two services, and one that joins, takes partitions and leaves again all the time."""
    world.endpoint.configure(latency={"kind": "lognormal", "seconds": 0.3, "longest": 1.0})
    services = [patient(world) for _ in range(2)]
    for service in services:
        service.wait_ready()
    arguments = (world.bootstrap, world.group, world.requested, str(STORM_S), str(LEAST))
    joining = subprocess.Popen(
        (sys.executable, "-m", "tests.chaos.programs.joining", *arguments),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        with SteadyLoad(world, per_second=15, seed=SEED) as load:
            joined = int(joining.communicate(timeout=90)[0])
            sent = load.end()
    finally:
        joining.kill()
        joining.wait()
    world.outcomes(sent, timeout_s=60)
    found = judged_at_rest(world)
    calls = world.endpoint.stats()["calls"]
    print(f"\n{found}; {calls} calls; {joined} joined and left")  # noqa: T201
    assert not found.problems, f"seed {SEED}: {found.problems[:5]}"
    assert joined >= LEAST, "there was no storm"
    assert calls == sent, "a partition that moves in peace pays for no call twice"
