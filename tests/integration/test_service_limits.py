"""How often a user may ask, and what may be spent a day."""

import json
from decimal import Decimal
from pathlib import Path

from tests.blackbox.asking import ask, codes
from tests.blackbox.bent_service import bend
from tests.blackbox.messages import Seen
from tests.blackbox.operator import Operator
from tests.blackbox.requests import Request, plain
from tests.blackbox.waiting import wait_until
from tests.blackbox.world import World

DAY_MS = 24 * 60 * 60 * 1000
BUDGET, USER_BUDGET = Decimal("9.5"), Decimal("2.5")
# A call costs 1 USD at most for its 1,000 tokens of answer, and a few cents for its prompt.
DEAR = {
    "LLM__MODEL": "dear",
    "LLM__PRICES": json.dumps({"dear": {"input": "1", "output": "1000"}}),
    "LLM__MAX_OUTPUT_TOKENS": "1000",
    "LIMITS__GLOBAL_DAILY_USD": str(BUDGET),
    "LIMITS__USER_DAILY_USD": str(USER_BUDGET),
}


def of_user(user: str, *names: str) -> list[Request]:
    """Return a user's requests, keyed like Kuybi's."""
    return [plain(name, user, user_id=user) for name in names]


def spent(events: list[Seen]) -> Decimal:
    """Return what these outcomes say they cost."""
    costs = [event.body["cost"] for event in events]
    return sum((Decimal(cost["amount"]) for cost in costs if cost), Decimal(0))


def test_a_user_who_asks_too_often_is_told_when_to_come_again(world: World) -> None:
    """Others go on; the answer is kept like any other, is no dead letter, and cost nothing."""
    world.serve(LIMITS__USER_REQUESTS="3/hour")
    ask(world, [*of_user("ann", "a1", "a2", "a3"), *of_user("bob", "b1", "b2")])
    refused = ask(world, of_user("ann", "a4", "a5"))
    assert codes(refused) == ["rate_limited"] * 2
    for event in refused:
        error = event.body["error"]
        assert (error["stage"], error["retryable"]) == ("admit", True)
        assert DAY_MS / 25 <= error["retry_after_ms"] <= DAY_MS / 24
        assert (event.body["tries"], event.body["billed"]) == (0, False)
    assert codes(ask(world, of_user("bob", "b3", "b4"))) == ["rate_limited", "story"]
    # What is stored already is no request for a story.
    (resent,) = ask(world, of_user("ann", "a1"))
    assert resent.body["source"] == "result_store"
    assert codes(ask(world, of_user("ann", "a4"))) == ["rate_limited"]
    found = world.judgement()
    assert not found.problems
    assert not found.dead_letters
    assert world.endpoint.stats()["calls"] == 6


def test_a_replay_is_not_counted_on_its_user(world: World) -> None:
    """The operator asks, so the user can still ask once more, and no more than that."""
    world.endpoint.configure(default="error_503")
    world.serve(LIMITS__USER_REQUESTS="4/hour", ENGINE__MAX_TRIES="1")
    assert codes(ask(world, of_user("ann", "a1", "a2", "a3"))) == ["provider_unavailable"] * 3
    world.endpoint.configure(default="ok")
    assert Operator(world).dlq("replay", "--all", "--yes").code == 0
    assert codes(world.outcomes(6, 20)[3:]) == ["story"] * 3
    assert codes(ask(world, of_user("ann", "a4"))) == ["story"]
    assert codes(ask(world, of_user("ann", "a5"))) == ["rate_limited"]
    assert not world.judgement().problems


def test_a_hundred_requests_at_once_do_not_pass_a_budget_that_allows_nine(
    world: World, redis_url: str
) -> None:
    """Over two replicas; nor a user's own; and what a call did not cost is there for others.

    Nor do five of a user in five partitions pass a limit of four requests.
    """
    world.endpoint.configure(hold=True)
    settings = {**DEAR, "STORE__URL": redis_url, "LIMITS__USER_REQUESTS": "4/hour"}
    services = [bend(world.service(**settings), "patient").start() for _ in range(2)]
    for service in services:
        service.wait_ready()
    world.publish(plain(f"g{n}", f"g-{n}", user_id="greedy", partition=n) for n in range(5))
    own = world.outcomes(3, 20)
    assert codes(own) == ["budget_exceeded", "budget_exceeded", "rate_limited"]
    assert world.endpoint.stats()["in_flight"] == 2
    # Fewer than a replica begins with: with all its slots in use the others would wait for one.
    world.publish(plain(f"r{n}", f"user-{n}", user_id=f"user-{n}") for n in range(100))
    refused = world.outcomes(3 + 93, 30)
    wait_until(lambda: world.endpoint.stats()["in_flight"] == 9, 30, "the nine are under way")
    assert codes(refused[3:]) == ["budget_exceeded"] * 93
    for event in refused:
        error = event.body["error"]
        assert (error["stage"], error["retryable"]) == ("admit", True)
        assert 0 < error["retry_after_ms"] <= DAY_MS
    messages = {event.body["error"]["message"] for event in refused}
    assert len(messages) == 3
    world.endpoint.configure(hold=False)
    world.outcomes(105, 30)
    # In fives, which fit side by side: of all at once most would meet what others have reserved.
    wishes = [plain(f"m{n}", f"user-{n}", user_id=f"user-{n}") for n in range(60)]
    more = [event for five in range(0, 60, 5) for event in ask(world, wishes[five : five + 5])]
    assert set(codes(more)) == {"budget_exceeded", "story"}
    found = world.judgement()
    assert not found.problems
    assert not found.dead_letters
    assert len(found.generated) == world.endpoint.stats()["calls"] > 9
    assert BUDGET / 2 < spent(found.generated) <= BUDGET
    greedy = [event for event in found.generated if event.body["user_id"] == "greedy"]
    assert 0 < spent(greedy) <= USER_BUDGET
    assert not spent(found.failed)


def test_a_budget_without_prices_ends_the_start_with_2(tmp_path: Path) -> None:
    """The line names the setting, the model, and what to write."""
    with World("localhost:1", tmp_path) as world:
        service = world.service(
            LLM__MODEL="homemade", LIMITS__GLOBAL_DAILY_USD="1", LLM__FALLBACK_MODELS="gpt-4o-mini"
        ).start()
        assert service.wait(30) == 2
        (line,) = [line for line in service.log.splitlines() if line.strip()]
    assert "JIRAIYA_LLM__PRICES: the price of 'homemade' is not known" in line
    assert '{"homemade": {"input": "…", "output": "…"}}' in line
