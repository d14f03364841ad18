"""A service frozen past every time-out wakes up and believes that it still owns its partitions."""

import signal
from pathlib import Path

import psutil
import pytest

from tests.blackbox.load import SteadyLoad
from tests.blackbox.service import ServiceProcess
from tests.blackbox.waiting import wait_until
from tests.blackbox.world import World
from tests.chaos.at_rest import judged_at_rest
from tests.chaos.group import Group

SEED = 7


@pytest.mark.timeout(240)
def test_a_zombie_that_wakes_up_publishes_nothing_twice(world: World) -> None:
    """Two services take turns in being frozen, just before a commit, until the other has it all."""
    world.endpoint.configure(latency={"kind": "lognormal", "seconds": 0.3, "longest": 1.0})
    services = [_freezing(world, "first"), _freezing(world, "second")]
    for service in services:
        service.wait_ready()
    group = Group(world)
    with SteadyLoad(world, per_second=25, seed=SEED) as load:
        for service in services:
            wait_until(lambda: len(group.shares()) == 2 and all(group.shares()), 60, "both work")
            _freeze_at_work(service)
            _wait_for_heir(world, group)
            service.send(signal.SIGCONT)
            wait_until(lambda z=service: _fenced(z) >= 1, 60, "the zombie was fenced")  # type: ignore[misc]
        sent = load.end()
    world.outcomes(sent, timeout_s=60)
    for service in services:
        assert service.status("/health/live") == 200
        service.wait_ready(20)
    found = judged_at_rest(world)
    print(f"\n{found}; {world.endpoint.stats()['calls']} calls")  # noqa: T201
    assert not found.problems, f"seed {SEED}: {found.problems[:5]}"


def _freezing(world: World, name: str) -> ServiceProcess:
    service = world.service(name)
    service.program = "tests.chaos.programs.freezing"
    service.settings["FREEZES_WHEN"] = str(world.folder / f"{name}.freeze")
    return service.start()


def _freeze_at_work(service: ServiceProcess) -> None:
    """Have it stop with a transaction open: what it does first on waking is to commit it."""
    Path(service.settings["FREEZES_WHEN"]).touch()
    process = psutil.Process(service.pid)
    wait_until(lambda: process.status() == psutil.STATUS_STOPPED, 30, f"{service.name} is frozen")


def _wait_for_heir(world: World, group: Group) -> None:
    """Wait until one member has all partitions, and has committed in each of them."""
    everything = set(range(world.partitions))
    wait_until(lambda: group.shares() == [everything], 60, "the other has all partitions")
    before = group.committed()

    def gone_on() -> bool:
        now = group.committed()
        return all(now.get(p, -1) > before.get(p, -1) for p in everything)

    wait_until(gone_on, 60, "the other goes on in all of them")


def _fenced(service: ServiceProcess) -> float:
    return service.metric("jiraiya_transactions_total", result="fenced")
