"""A service dies at the instants where delivery could go wrong; its heir goes on."""

import signal

import pytest

from tests.blackbox.load import SteadyLoad
from tests.blackbox.service import ServiceProcess
from tests.blackbox.waiting import wait_until
from tests.blackbox.world import World

SEED = 8
REQUESTS = 150
WORKING = {
    "before the outputs are sent": 3,
    "between outputs and offsets": 3,
    "between send and commit": 3,
    "in the coordinator's PREPARE_COMMIT": 3,
    "right after the commit": 3,
    "at the beginning of a drain": 2,
}
STARTING = {
    "after the new epoch, before its first record": 2,
    "while an old epoch is being fenced": 2,
}
"""How often each instant is passed unharmed before the one that ends the process."""


@pytest.mark.timeout(120)
@pytest.mark.parametrize("instant", [*WORKING, *STARTING])
def test_a_death_at_this_instant_loses_and_doubles_nothing(world: World, instant: str) -> None:
    """Under load; the dead one stays dead, and another that was there all along takes over."""
    world.endpoint.configure(latency={"kind": "lognormal", "seconds": 0.2, "longest": 1.0})
    heir = world.serve()
    victim = _victim(world, instant)
    if instant in WORKING:
        victim.start().wait_ready()
    with SteadyLoad(world, per_second=15, total=REQUESTS, seed=SEED):
        if instant in STARTING:
            victim.start()
        elif instant == "at the beginning of a drain":
            wait_until(lambda: victim.metric("jiraiya_in_flight") > 0, 20, "the victim works")
            victim.send(signal.SIGTERM)
        wait_until(lambda: not victim.alive, 40, f"the victim dies {instant}")
    world.outcomes(REQUESTS, timeout_s=60)
    found = world.judgement()
    assert (world.folder / "died").read_text().splitlines() == [instant]
    assert not found.problems, f"{instant}, seed {SEED}: {found.problems[:5]}"
    assert heir.alive


def _victim(world: World, instant: str) -> ServiceProcess:
    """Return a service that will end itself as `kill -9` would."""
    victim = world.service("victim")
    victim.program = "tests.chaos.programs.dying"
    victim.settings |= {
        "DIES_AT": instant,
        "DIES_AFTER": str({**WORKING, **STARTING}[instant]),
        "DIED_FILE": str(world.folder / "died"),
    }
    return victim
