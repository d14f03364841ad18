"""Three services, killed and stopped under load; judged from the topics alone."""

import random
import signal
import time
from pathlib import Path

import pytest

from tests.blackbox.judge import Judgement
from tests.blackbox.requests import plain
from tests.blackbox.service import ServiceProcess
from tests.blackbox.world import World

KEYS = [None, *(f"user-{number}" for number in range(40))]
SEED = 20_261_123


@pytest.mark.timeout(300)
def test_kills_and_stops_under_load_lose_and_double_nothing(
    kafka_bootstrap: str, tmp_path: Path
) -> None:
    """Nine ends by `kill -9` or SIGTERM, each followed by a restart, while requests arrive."""
    rng = random.Random(SEED)
    history: list[str] = []
    with World(kafka_bootstrap, tmp_path) as world:
        world.create_topics()
        latency = {"kind": "lognormal", "seconds": 0.25, "sigma": 0.5, "longest": 1.0}
        world.endpoint.configure(latency=latency)
        services = [world.service().start() for _ in range(3)]
        for service in services:
            service.wait_ready()
        began = time.monotonic()
        sent = 0
        for number in range(9):
            burst = [plain(f"r{sent + n}", rng.choice(KEYS)) for n in range(160)]
            sent += len(burst)
            world.publish(burst)
            _load_for(world, rng.uniform(0.5, 2.5))
            _end_one(rng.choice(services), rng, history, time.monotonic() - began, number)
        judgement = _settle(world, sent)
        calls = world.endpoint.stats()["calls"]
    print(f"\n{judgement}; {calls} calls for {sent} requests; {len(history)} ends")  # noqa: T201
    assert not judgement.problems, f"seed {SEED}: {judgement.problems[:5]} after {history}"
    assert len(judgement.requests) == sent
    # A call cut by a kill is paid again; at most what was in flight at each of them.
    assert calls <= sent + 100 * len(history)


def _load_for(world: World, seconds: float) -> None:
    """Let the load go on: wait until about that much work was done."""
    wanted = world.endpoint.stats()["calls"] + int(seconds * 40)
    deadline = time.monotonic() + seconds
    while world.endpoint.stats()["calls"] < wanted and time.monotonic() < deadline:
        time.sleep(0.02)


def _end_one(
    service: ServiceProcess, rng: random.Random, history: list[str], at: float, number: int
) -> None:
    """End a service the one way or the other and start it again."""
    number_of = signal.SIGKILL if number % 3 else signal.SIGTERM
    service.expected_to_end_badly = True
    history.append(f"{at:.1f} s {number_of.name} {service.name}")
    if number_of is signal.SIGKILL:
        service.kill()
    else:
        service.wait_ready().terminate()
    if rng.random() < 0.5:
        _pause(rng.uniform(0.0, 1.0))
    service.start()


def _pause(seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        time.sleep(0.05)


def _settle(world: World, sent: int) -> Judgement:
    world.outcomes(sent, timeout_s=120)
    return world.judgement()
