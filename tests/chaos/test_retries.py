"""Retries wait in their lane, and what they have used up survives the end of their service."""

import pytest

from tests.blackbox.requests import plain
from tests.blackbox.waiting import wait_until
from tests.blackbox.world import World
from tests.chaos.at_rest import judged_at_rest

PATIENT = {
    "ENGINE__RETRY_BASE_S": "6",
    "ENGINE__RETRY_CAP_S": "6",
    "BREAKER__CONSECUTIVE_FAILURES": "10000",
    "BREAKER__MINIMUM_CALLS": "10000",
    # A static member takes its own place again at once instead of after a session time-out.
    "KAFKA__GROUP_INSTANCE_ID": "only",
}


@pytest.mark.timeout(120)
def test_tries_survive_the_kill_of_their_service(world: World) -> None:
    """One try was used up and committed; the next owner has two left, not three."""
    # The wait for the second try is drawn from 0 to 6 s: one that comes early never ends.
    world.endpoint.configure(script=("error_500", "hang"))
    first = world.serve(**PATIENT)
    world.publish([plain("r1", "user-1")])
    wait_until(lambda: world.endpoint.stats()["calls"] >= 1, 20, "the first try")
    wait_until(
        lambda: first.metric("jiraiya_transactions_total", result="committed") >= 1,
        20,
        "the try is committed",
    )
    first.kill()
    wait_until(lambda: world.endpoint.stats()["in_flight"] == 0, 20, "its calls ended with it")
    world.endpoint.configure(script=(), default="error_500")
    world.serve(**{**PATIENT, "ENGINE__RETRY_BASE_S": "0.1"})
    outcome = world.outcome(timeout_s=40)
    assert not judged_at_rest(world).problems
    assert (outcome.body["error"]["code"], outcome.body["tries"]) == ("provider_unavailable", 3)
    stats = world.endpoint.stats()
    assert stats["calls"] - stats["aborted"] == 3, stats
