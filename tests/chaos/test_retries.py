"""Retries wait in their lane, and what they have used up survives the end of their service."""

import pytest

from tests.blackbox.requests import plain
from tests.blackbox.waiting import wait_until
from tests.blackbox.world import World

PATIENT = {
    "ENGINE__RETRY_BASE_S": "6",
    "ENGINE__RETRY_CAP_S": "6",
    "BREAKER__CONSECUTIVE_FAILURES": "10000",
    "BREAKER__MINIMUM_CALLS": "10000",
}


@pytest.mark.timeout(120)
def test_tries_survive_the_kill_of_their_service(world: World) -> None:
    """One try was used up and committed; the next owner has two left, not three."""
    world.endpoint.configure(default="error_500")
    first = world.serve(**PATIENT)
    world.publish([plain("r1", "user-1")])
    wait_until(lambda: world.endpoint.stats()["calls"] == 1, 20, "the first try")
    wait_until(
        lambda: first.metric("jiraiya_transactions_total", result="committed") >= 1,
        5,
        "the try is committed",
    )
    first.kill()
    world.serve(**{**PATIENT, "ENGINE__RETRY_BASE_S": "0.1"})
    outcome = world.outcome(timeout_s=40)
    found = world.judgement()
    assert not found.problems
    assert (outcome.body["error"]["code"], outcome.body["tries"]) == ("provider_unavailable", 3)
    assert world.endpoint.stats()["calls"] == 3
