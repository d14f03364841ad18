"""The model goes away and comes back: requests wait, and none of them pays for it."""

import time

from tests.blackbox.requests import plain
from tests.blackbox.service import ServiceProcess
from tests.blackbox.waiting import wait_until
from tests.blackbox.world import World

BREAKER = {
    "BREAKER__OPEN_S": "1",
    "BREAKER__HALF_OPEN_CALLS": "2",
    "BREAKER__CONSECUTIVE_FAILURES": "5",
    "ENGINE__RETRY_BASE_S": "0.05",
    "ENGINE__MAX_IN_FLIGHT": "8",
    "LLM__MODEL": "writer",
}


def test_an_outage_shorter_than_the_deadline_fails_no_request(world: World) -> None:
    """40 requests meet 503s, and far fewer calls than tries are made while the model is down."""
    world.endpoint.configure(default="error_503")
    service = world.serve(**BREAKER)
    world.publish(plain(f"r{number}", f"user-{number % 12}") for number in range(40))
    wait_until(lambda: breaker(service) == 2, 15, "the breaker opens")
    opening = world.endpoint.stats()["calls"]
    assert opening <= 8 + 5
    assert service.json("/health/ready")["status"] == "degraded"
    assert service.status("/health/ready") == 200
    # Three more phases of trials, two calls each, while everybody else waits.
    wait_until(lambda: world.endpoint.stats()["calls"] >= opening + 5, 20, "trials are made")
    trials = world.endpoint.stats()["calls"] - opening
    world.endpoint.configure(default="ok")
    world.outcomes(40, 20)
    found = world.judgement()
    assert not found.problems
    assert len(found.generated) == 40
    assert trials <= 8
    # Beside one call a story there were only those that opened the breaker and the trials.
    assert world.endpoint.stats()["calls"] <= 40 + opening + trials + 2
    wait_until(lambda: breaker(service) == 0, 5, "the breaker closes")
    assert service.json("/health/ready")["status"] == "ok"


def test_a_wrong_key_costs_no_request_that_still_has_time(world: World) -> None:
    """Two of 30 are out of time and end with the provider's code; the others become stories."""
    world.endpoint.configure(default="unauthorized_401")
    service = world.serve(**BREAKER)
    began = time.monotonic()
    world.publish(plain(f"r{number}", f"user-{number % 12}") for number in range(28))
    # Only then are there any that come too late: before it, their time could pass in the queue.
    wait_until(lambda: breaker(service) > 0, 15, "the breaker opens")
    world.publish(plain(f"late-{number}", f"late-{number}", timeout_ms=1500) for number in range(2))
    failed = world.outcomes(2, 15)
    assert {event.body["error"]["code"] for event in failed} == {"provider_auth"}
    phases = int((time.monotonic() - began) / float(BREAKER["BREAKER__OPEN_S"]))
    trials = phases * int(BREAKER["BREAKER__HALF_OPEN_CALLS"])
    assert world.endpoint.stats()["calls"] <= int(BREAKER["ENGINE__MAX_IN_FLIGHT"]) + trials
    world.endpoint.configure(default="ok")
    world.outcomes(30, 20)
    found = world.judgement()
    assert not found.problems
    assert len(found.generated) == 28


def breaker(service: ServiceProcess) -> float:
    """Return the state the service's metrics tell: 0 closed, 1 half-open, 2 open."""
    name = "jiraiya_circuit_breaker_state"
    return service.metric(name, name="writer")
