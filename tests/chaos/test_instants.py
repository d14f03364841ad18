"""A service dies at the instants where delivery could go wrong; its heir goes on."""

import signal

import pytest

from tests.blackbox.judge import Judgement
from tests.blackbox.load import SteadyLoad
from tests.blackbox.service import ServiceProcess
from tests.blackbox.waiting import wait_until
from tests.blackbox.world import World
from tests.chaos.at_rest import judged_at_rest

SEED = 8
REQUESTS = 150
PREPARED = "in the coordinator's PREPARE_COMMIT"
WORKING = {
    "before the outputs are sent": 3,
    "between outputs and offsets": 3,
    "between send and commit": 3,
    PREPARED: 3,
    "right after the commit": 3,
}
STARTING = {
    "after the new epoch, before its first record": 2,
    "while an old epoch is being fenced": 2,
}
REVOKED = "during a revocation"
ASKED_FOR = {
    REVOKED: 0,
    "at the beginning of a drain": 2,
    "after a drain's last commit, before it leaves the group": 0,
}
INSTANTS = {**WORKING, **STARTING, **ASKED_FOR}
"""How often each instant is passed unharmed before the one that ends the process."""


@pytest.mark.timeout(120)
@pytest.mark.parametrize("instant", INSTANTS)
def test_a_death_at_this_instant_loses_and_doubles_nothing(world: World, instant: str) -> None:
    """Under load; the dead one stays dead, and another that was there all along takes over."""
    world.endpoint.configure(latency={"kind": "lognormal", "seconds": 0.2, "longest": 1.0})
    world.serve()
    victim = _victim(world, instant)
    if instant not in STARTING:
        victim.start().wait_ready()
    with SteadyLoad(world, per_second=15, total=REQUESTS, seed=SEED):
        if instant in STARTING:
            victim.start()
        if instant in ASKED_FOR:
            wait_until(lambda: victim.metric("jiraiya_in_flight") > 0, 20, "the victim works")
            if instant == REVOKED:
                world.service().start()  # joins, so that everybody has to let go
            else:
                victim.send(signal.SIGTERM)
        wait_until(lambda: not victim.alive, 40, f"the victim dies {instant}")
    world.outcomes(REQUESTS, timeout_s=60)
    for service in world.services:
        if service is not victim:
            service.wait_ready()
    found = judged_at_rest(world)
    died_at, *batch = (world.folder / "died").read_text().splitlines()
    assert died_at == instant
    assert not found.problems, f"{instant}, seed {SEED}: {found.problems[:5]}"
    if instant == PREPARED:
        _assert_committed(world, found, batch)


def _assert_committed(world: World, found: Judgement, batch: list[str]) -> None:
    """What was to be committed is: the heir had to call for none of it, nor to look it up."""
    assert batch
    calls = world.endpoint.stats()["calls_by_key"]
    assert [calls[f"k-{request}"] for request in batch] == [1] * len(batch)
    assert {found.outcome_of(request).body["source"] for request in batch} == {"model"}


def _victim(world: World, instant: str) -> ServiceProcess:
    """Return a service that will end itself as `kill -9` would."""
    victim = world.service("victim")
    victim.program = "tests.chaos.programs.dying"
    victim.settings |= {
        "DIES_AT": instant,
        "DIES_AFTER": str(INSTANTS[instant]),
        "DIED_FILE": str(world.folder / "died"),
    }
    return victim
