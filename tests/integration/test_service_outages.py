"""The model goes away and comes back: requests wait, and none of them pays for it."""

import time

import pytest

from tests.blackbox.bent_service import bend
from tests.blackbox.requests import plain
from tests.blackbox.service import ServiceProcess
from tests.blackbox.waiting import wait_until
from tests.blackbox.world import World

OPEN_S, TRIALS, FAILURES, IN_FLIGHT = 1, 2, 5, 8
BREAKER = {
    "BREAKER__OPEN_S": str(OPEN_S),
    "BREAKER__HALF_OPEN_CALLS": str(TRIALS),
    "BREAKER__CONSECUTIVE_FAILURES": str(FAILURES),
    "ENGINE__RETRY_BASE_S": "0.05",
    "ENGINE__MAX_IN_FLIGHT": str(IN_FLIGHT),
    "LLM__MODEL": "writer",
}
SOME_LATENCY = {"kind": "lognormal", "seconds": 0.2, "longest": 1.0}


def test_an_outage_shorter_than_the_deadline_fails_no_request(world: World) -> None:
    """40 requests meet 503s, and far fewer calls than tries are made while the model is down."""
    world.endpoint.configure(default="error_503")
    service = world.serve(**BREAKER)
    outage = Outage(world, opening=IN_FLIGHT + FAILURES)
    world.publish(plain(f"r{number}", f"user-{number % 12}") for number in range(40))
    wait_until(lambda: breaker(service) == 2, 30, "the breaker opens")
    outage.assert_few_calls()
    assert service.json("/health/ready")["status"] == "degraded"
    assert service.status("/health/ready") == 200
    # Phases of trials, two calls each, while everybody else waits.
    enough = world.endpoint.stats()["calls"] + 5
    wait_until(lambda: world.endpoint.stats()["calls"] >= enough, 30, "trials are made")
    outage.end()
    world.outcomes(40, 30)
    found = world.judgement()
    assert not found.problems
    assert len(found.generated) == 40
    outage.assert_few_calls(stories=40)
    wait_until(lambda: breaker(service) == 0, 30, "the breaker closes")
    assert service.json("/health/ready")["status"] == "ok"


def test_a_wrong_key_costs_no_request_that_still_has_time(world: World) -> None:
    """Two of 30 are out of time and end with the provider's code; the others become stories."""
    world.endpoint.configure(default="unauthorized_401")
    service = world.serve(**BREAKER)
    # The first answer opens it, and finds no more calls than can be under way.
    outage = Outage(world, opening=IN_FLIGHT)
    world.publish(plain(f"r{number}", f"user-{number % 12}") for number in range(28))
    # Only then are there any that come too late: before it, their time could pass in the queue.
    wait_until(lambda: breaker(service) > 0, 30, "the breaker opens")
    world.publish(plain(f"late-{number}", f"late-{number}", timeout_ms=1500) for number in range(2))
    failed = world.outcomes(2, 30)
    assert {event.body["error"]["code"] for event in failed} == {"provider_auth"}
    outage.assert_few_calls()
    outage.end()
    world.outcomes(30, 30)
    found = world.judgement()
    assert not found.problems
    assert len(found.generated) == 28
    outage.assert_few_calls(stories=28)


@pytest.mark.parametrize("release_s", ["0.02", "0.1"])
def test_who_is_on_the_way_to_the_parking_lot_when_the_model_is_back_is_not_forgotten(
    world: World, release_s: str
) -> None:
    """A store that is slow to give a lease back keeps nobody parked beside a closed breaker."""
    world.endpoint.configure(default="error_503")
    service = bend(world.service(**BREAKER), "slow-release")
    service.settings["RELEASE_S"] = release_s
    service.start().wait_ready()
    world.publish(plain(f"r{number}", f"user-{number % 12}") for number in range(40))
    wait_until(lambda: breaker(service) == 2, 30, "the breaker opens")
    enough = world.endpoint.stats()["calls"] + 5
    wait_until(lambda: world.endpoint.stats()["calls"] >= enough, 30, "trials are made")
    world.endpoint.configure(default="ok", latency=SOME_LATENCY)
    world.outcomes(40, 30)
    assert len(world.judgement().generated) == 40


class Outage:
    """Counts the calls that an outage takes until its end: the openers, and a phase's trials.

    A phase of trials comes `OPEN_S` after the one before at the soonest. How many there can have
    been is asked after the calls are counted, so that time may pass anywhere.
    """

    def __init__(self, world: World, opening: int) -> None:
        self._endpoint = world.endpoint
        self._opening = opening
        self._began = time.monotonic()
        self._ended: float | None = None

    def end(self) -> None:
        """Have the model back."""
        self._endpoint.configure(default="ok")
        self._ended = time.monotonic()

    def assert_few_calls(self, stories: int = 0) -> None:
        """Beside one call a story there were no others."""
        calls = self._endpoint.stats()["calls"] - stories
        phases = int(((self._ended or time.monotonic()) - self._began) / OPEN_S)
        assert calls <= self._opening + phases * TRIALS


def breaker(service: ServiceProcess) -> float:
    """Return the state the service's metrics tell: 0 closed, 1 half-open, 2 open."""
    name = "jiraiya_circuit_breaker_state"
    return service.metric(name, name="writer")
