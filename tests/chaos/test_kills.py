"""Three services, killed and stopped under load; judged from the topics alone."""

import random
import signal
import threading

import pytest

from jiraiya_events.adapters.journal import layout
from tests.blackbox.load import SteadyLoad
from tests.blackbox.service import ServiceProcess
from tests.blackbox.world import World
from tests.chaos.at_rest import judged_at_rest
from tests.chaos.patience import patient

SEED = 20_261_123
REQUESTS = 1_500
ENDS = 10
IN_FLIGHT = 30
WORKING_SHARE = 0.8


@pytest.mark.timeout(240)
def test_kills_and_stops_under_load_lose_and_double_nothing(world: World) -> None:
    """Ten ends by `kill -9` or SIGTERM, each followed by a restart, while requests arrive."""
    rng = random.Random(SEED)
    history: list[str] = []
    latency = {"kind": "lognormal", "seconds": 0.25, "sigma": 0.5, "longest": 1.0}
    world.endpoint.configure(latency=latency)
    settings = {"ENGINE__MAX_IN_FLIGHT": str(IN_FLIGHT)}
    services = [patient(world, **settings) for _ in range(3)]
    for service in services:
        service.wait_ready()
    with SteadyLoad(world, per_second=40, total=REQUESTS, seed=SEED):
        for number in range(ENDS):
            _pause(rng.uniform(0.5, 2.5))
            kind = signal.SIGTERM if number % 3 == 0 else signal.SIGKILL
            _end_and_restart(_victim(services, rng), kind, history)
    world.outcomes(REQUESTS, timeout_s=90)
    for service in services:
        service.wait_ready()  # the last one that was started may not be yet
    found = judged_at_rest(world)
    calls = world.endpoint.stats()["calls"]
    aborted = world.endpoint.stats()["aborted"]
    cut = _at_work(world)
    told = f"{found}; {calls} calls, {aborted} cut off; {cut} were at work; {history}"
    print(f"\n{told}")  # noqa: T201 - what a kill cost is worth reading
    assert not found.problems, f"seed {SEED}: {found.problems[:5]} after {history}"
    assert len(found.requests) == REQUESTS
    # Only what was at work in a process when it was killed is paid again, and no more than once
    # for each such death.
    assert 0 <= calls - REQUESTS <= cut, told
    assert calls - aborted >= REQUESTS, told


def _victim(services: list[ServiceProcess], rng: random.Random) -> ServiceProcess:
    """Return one that works, now and then also one that is still starting."""
    working = [service for service in services if service.status("/health/ready") == 200]
    return rng.choice(working if working and rng.random() < WORKING_SHARE else services)


def _end_and_restart(service: ServiceProcess, kind: signal.Signals, history: list[str]) -> None:
    """End a service the one way or the other and start it again, without waiting for it."""
    history.append(f"{kind.name} {service.name}")
    if kind is signal.SIGKILL:
        service.kill()
    else:
        service.wait_ready().terminate()
    service.start()


def _pause(seconds: float) -> None:
    """Let the load go on; it is the chaos that has no signal to wait for."""
    threading.Event().wait(seconds)


def _at_work(world: World) -> int:
    """Return how many requests were at work at a kill: who is killed leaves its journal behind."""
    journals = (world.folder / "journals").glob("*.journal")
    return sum(len(layout.read(journal.read_bytes()).running) for journal in journals)
