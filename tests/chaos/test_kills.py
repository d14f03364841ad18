"""Three services, killed and stopped under load; judged from the topics alone."""

import random
import signal
import threading

import pytest

from tests.blackbox.load import SteadyLoad
from tests.blackbox.service import ServiceProcess
from tests.blackbox.world import World

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
    services = [world.service(**settings).start() for _ in range(3)]
    for service in services:
        service.wait_ready()
    with SteadyLoad(world, per_second=40, total=REQUESTS, seed=SEED):
        for number in range(ENDS):
            _pause(rng.uniform(0.5, 2.5))
            kind = signal.SIGTERM if number % 3 == 0 else signal.SIGKILL
            _end_and_restart(_victim(services, rng), kind, history)
    world.outcomes(REQUESTS, timeout_s=90)
    found = world.judgement()
    calls = world.endpoint.stats()["calls"]
    aborted = world.endpoint.stats()["aborted"]
    told = f"{found}; {calls} calls, {aborted} of them cut; {history}"
    print(f"\n{told}")  # noqa: T201 - what a kill cost is worth reading
    assert not found.problems, f"seed {SEED}: {found.problems[:5]} after {history}"
    assert len(found.requests) == REQUESTS
    # Only a call cut by a kill, before its answer was stored, is paid again.
    kills = sum("KILL" in line for line in history)
    assert calls - REQUESTS <= IN_FLIGHT * kills


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
