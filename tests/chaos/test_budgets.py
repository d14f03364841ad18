"""`kill -9` while money is set aside: what may have been spent stays reserved."""

import json
from decimal import Decimal

import pytest

from tests.blackbox.requests import plain
from tests.blackbox.waiting import wait_until
from tests.blackbox.world import World
from tests.chaos.at_rest import judged_at_rest
from tests.chaos.patience import patient

BUDGET = Decimal("6.5")


@pytest.mark.timeout(120)
def test_calls_that_a_kill_cut_count_beside_those_made_again(world: World, redis_url: str) -> None:
    """Three reserve 1 USD each, twice over, since all six may be billed: a seventh has no room."""
    settings = {
        "STORE__URL": redis_url,
        "LLM__MODEL": "dear",
        "LLM__PRICES": json.dumps({"dear": {"input": "1", "output": "1000"}}),
        "LLM__MAX_OUTPUT_TOKENS": "1000",
        "LIMITS__GLOBAL_DAILY_USD": str(BUDGET),
    }
    world.endpoint.configure(hold=True)
    first = patient(world, **settings).wait_ready()
    world.publish(plain(f"r{number}", f"user-{number}") for number in range(3))
    wait_until(lambda: world.endpoint.stats()["in_flight"] == 3, 20, "three calls are under way")
    first.kill()
    patient(world, **settings).wait_ready()
    # Who died held the requests' leases: for ten seconds nobody else calls for them.
    wait_until(lambda: world.endpoint.stats()["calls"] == 6, 40, "they are made again")
    world.publish([plain("one-too-many", "user-9")])
    assert world.outcome(1).body["error"]["code"] == "budget_exceeded"
    world.endpoint.configure(hold=False)
    generated = [event for event in world.outcomes(4, 20) if "error" not in event.body]
    assert len(generated) == 3
    spent = sum(Decimal(event.body["cost"]["amount"]) for event in generated)
    # What the stories did not cost is there for others again; what was cut is not.
    assert spent < BUDGET - 3 - 2
    world.publish(plain(f"more-{number}", f"user-{number}") for number in range(2))
    more = [event.body.get("error") for event in world.outcomes(6, 20)[4:]]
    assert more == [None, None]
    assert not judged_at_rest(world).problems
