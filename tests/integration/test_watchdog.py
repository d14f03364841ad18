"""A real process whose insides hang is found out by its liveness probe, and only then."""

import json

import pytest

from tests.blackbox.bent_service import SHORT_S, bend
from tests.blackbox.requests import plain
from tests.blackbox.waiting import wait_until
from tests.blackbox.world import World

BEND = {
    "hang-commits": "finished records are not committed",
    "kill-commit-loops": "the commit loop failed",
    "start-nothing": "records are ready to start",
    "read-nothing": "records are there and none is read",
    "hang-handlers": "no handler has ended",
}


@pytest.mark.parametrize("how", BEND)
def test_liveness_turns_red_when_work_that_could_move_does_not(world: World, how: str) -> None:
    """Green while there is nothing to do, red soon after there is, with a line that says what."""
    # The second life takes the first one's place: nobody waits for its session to run out.
    member = {"KAFKA__GROUP_INSTANCE_ID": "only"}
    service = bend(world.service(LLM__TIMEOUT_S="1", ENGINE__DRAIN_TIMEOUT_S="1", **member), how)
    service.expected_to_end_badly = True
    service.start().wait_ready()
    assert service.status("/health/live") == 200
    world.publish([plain("one")])
    wait_until(lambda: service.status("/health/live") == 503, 10 * SHORT_S, "liveness is red")
    (check,) = (c for c in service.json("/health/live")["checks"] if c["status"] == "failing")
    assert check["name"] == "progress"
    assert BEND[how] in check["detail"]
    service.wait_log("work that could move does not", 30)
    service.kill()
    world.serve(**member)
    world.outcomes(1, 30)
    assert not world.judgement().problems


def test_liveness_stays_green_while_the_model_is_away_and_calls_are_slow(world: World) -> None:
    """An open breaker, retries that wait and calls that take their time are no bug."""
    world.endpoint.configure(default="error_503")
    service = world.serve(
        BREAKER__CONSECUTIVE_FAILURES="2", BREAKER__OPEN_S="1", ENGINE__RETRY_BASE_S="0.1"
    )
    world.publish(plain(f"r{number}", f"user-{number}") for number in range(20))
    wait_until(
        lambda: service.metric("jiraiya_circuit_breaker_state") == 2, 20, "the breaker is open"
    )
    seen: set[int] = set()

    def opened_again() -> bool:
        seen.add(service.status("/health/live"))
        return bool(world.endpoint.stats()["calls"] >= 12)

    wait_until(opened_again, 30, "trials were made and failed")
    assert seen == {200}
    assert json.loads(service.get("/health/live")[2])["status"] == "ok"
