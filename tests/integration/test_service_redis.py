"""Replicas that share a Redis: what one paid for no other pays for, and it may go away."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.blackbox.asking import ask
from tests.blackbox.bent_service import bend
from tests.blackbox.load import SteadyLoad
from tests.blackbox.operator import Operator
from tests.blackbox.requests import plain
from tests.blackbox.service import ServiceProcess
from tests.blackbox.waiting import wait_until
from tests.blackbox.world import World
from tests.redis_server import RedisServer

PASSWORD = "sesame-open-2f"
DOWN = "the result store does not work"
BACK = "the store is back"


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """Serve a Redis with a password, for the test to break."""
    folder = tmp_path / "redis"
    folder.mkdir()
    server = RedisServer(folder, "--requirepass", PASSWORD)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def address(redis: RedisServer) -> str:
    """Return its address with the password."""
    return redis.url.replace("redis://", f"redis://:{PASSWORD}@")


def store(service: ServiceProcess) -> tuple[int, str, str]:
    """Return the status of readiness, and what it says of the store."""
    ready = service.json("/health/ready")
    check: dict[str, Any] = next(c for c in ready["checks"] if c["name"] == "store")
    return service.status("/health/ready"), ready["status"], check["status"]


def patient(world: World, redis: RedisServer, **changes: str) -> ServiceProcess:
    """Return a service that takes no Redis for gone which only stands still with the machine."""
    return bend(world.service(STORE__URL=address(redis), **changes), "patient")


def busy(*services: ServiceProcess) -> float:
    """Return how often they found that another one is at it."""
    return sum(lookups(service, "busy") for service in services)


def lookups(service: ServiceProcess, result: str) -> float:
    """Return how many look-ups ended so."""
    return service.metric("jiraiya_store_lookups_total", result=result)


def test_what_one_replica_paid_for_no_other_pays_for(world: World, redis: RedisServer) -> None:
    """Resends wherever they are read; and the same id at once in two partitions is one call."""
    services = [patient(world, redis).start() for _ in range(2)]
    for service in services:
        service.wait_ready()
    wait_until(lambda: all(holds(service) for service in services), 20, "both have partitions")
    first = [plain(f"r{number}", f"user-{number}", partition=number % 6) for number in range(18)]
    ask(world, first)
    elsewhere = [plain(f"r{n}", f"user-{n}", partition=(n + 3) % 6) for n in range(18)]
    assert {event.body["source"] for event in ask(world, elsewhere)} == {"result_store"}
    world.endpoint.configure(hold=True)
    twins = [
        plain(f"twin{number}", f"{side}-{number}", partition=(number + side) % 6)
        for number in range(6)
        for side in (0, 1, 3)
    ]
    world.publish(twins)
    wait_until(lambda: busy(*services) >= 6, 30, "others are found to be at it")
    world.endpoint.configure(hold=False)
    told = world.outcomes(36 + 18, 30)[36:]
    contents = {(event.header("ce_id"), event.body["story"]["content"]) for event in told}
    assert len(contents) == 6
    assert set(world.endpoint.stats()["calls_by_key"].values()) == {1}
    assert not world.judgement().problems
    assert all(lookups(service, "hit") for service in services)
    for service in services:
        assert_is_secret(service)
    shown = Operator(world, STORE__URL=address(redis)).jiraiya("config", "show")
    assert shown.code == 0
    assert "JIRAIYA_STORE__URL" in shown.out
    assert PASSWORD not in shown.out + shown.err


def test_who_leaves_gives_the_requests_back_at_once(world: World, redis: RedisServer) -> None:
    """A call that is cut at the end of the drain is another replica's to make, without a wait."""
    world.endpoint.configure(hold=True)
    first = patient(world, redis, ENGINE__DRAIN_TIMEOUT_S="0.5").start()
    second = patient(world, redis, ENGINE__DRAIN_TIMEOUT_S="0.5").start()
    for service in (first, second):
        service.wait_ready()
    wait_until(lambda: holds(first) and holds(second), 20, "both have partitions")
    world.publish(plain(f"r{n}", f"user-{n}", partition=n) for n in range(6))
    wait_until(lambda: world.endpoint.stats()["in_flight"] == 6, 30, "six calls are under way")
    first.terminate()
    world.endpoint.configure(hold=False)
    world.outcomes(6, 40)
    assert not world.judgement().problems
    # No lease stood in its way, which would have had to be waited for.
    assert not busy(second)
    assert 0 < world.endpoint.stats()["aborted"] < 6


def test_a_redis_that_goes_away_costs_no_story_and_is_used_again(
    world: World, redis: RedisServer
) -> None:
    """Degraded and ready, one line that says so, and paid once again when it is back."""
    service = patient(world, redis).start().wait_ready()
    with SteadyLoad(world, per_second=25, total=60, seed=5):
        world.outcomes(15, 20)
        redis.stop()
        wait_until(lambda: store(service) == (200, "degraded", "degraded"), 30, "it is degraded")
        world.outcomes(60, 30)
    # All of the others may have been through before it went.
    ask(world, (plain(f"meanwhile{number}", "user-1") for number in range(5)))
    assert lookups(service, "error") > 0
    assert service.log.count(DOWN) == 1
    redis.start()
    ask(world, [plain("new", "user-1")])
    wait_until(lambda: store(service) == (200, "ok", "ok"), 30, "it is ready again")
    (again,) = ask(world, [plain("new", "user-2")])
    assert again.body["source"] == "result_store"
    assert world.endpoint.calls("k-new") == 1
    found = world.judgement()
    assert not found.problems
    assert len(found.generated) == 67
    assert told_back(service) == 1
    assert_is_secret(service)


def test_an_idle_service_notices_that_redis_went_and_came_back(
    world: World, redis: RedisServer
) -> None:
    """Readiness does not wait for a request that would find out."""
    service = patient(world, redis).start().wait_ready()
    assert store(service) == (200, "ok", "ok")
    redis.stop()
    wait_until(lambda: store(service) == (200, "degraded", "degraded"), 30, "it is degraded")
    redis.start()
    wait_until(lambda: store(service) == (200, "ok", "ok"), 30, "it is ready again")
    assert service.log.count(DOWN) == told_back(service) == 1
    assert lookups(service, "error") == 0


def test_what_redis_missed_is_there_when_it_is_back(world: World, redis: RedisServer) -> None:
    """Written while it was away, found by a resend after it."""
    service = patient(world, redis).start().wait_ready()
    redis.stop()
    (first,) = ask(world, [plain("r", "user-1")])
    assert store(service) == (200, "degraded", "degraded")
    redis.start()
    wait_until(lambda: store(service) == (200, "ok", "ok"), 30, "it is ready again")
    (again,) = ask(world, [plain("r", "user-2")])
    assert (first.body["source"], again.body["source"]) == ("model", "result_store")
    assert again.body["story"] == first.body["story"]
    assert world.endpoint.calls("k-r") == 1


def test_a_budget_that_cannot_be_read_is_waited_for(world: World, redis: RedisServer) -> None:
    """No call is made beyond what anybody can count, and no request is lost by that."""
    prices = json.dumps({"writer": {"input": "1", "output": "2"}})
    budget = {"LIMITS__GLOBAL_DAILY_USD": "5", "LLM__MODEL": "writer", "LLM__PRICES": prices}
    service = patient(world, redis, **budget).start().wait_ready()
    ask(world, [plain("before")])
    redis.stop()
    world.publish(plain(f"r{number}", f"user-{number}") for number in range(5))
    # Each looks for its outcome, finds no store, and comes again.
    wait_until(lambda: lookups(service, "error") >= 10, 30, "all have looked twice")
    assert world.judgement().lost == 5
    assert world.endpoint.stats()["calls"] == 1
    assert store(service) == (200, "degraded", "degraded")
    redis.start()
    world.outcomes(6, 30)
    assert world.endpoint.stats()["calls"] == 6
    found = world.judgement()
    assert not found.problems
    assert len(found.generated) == 6
    wait_until(lambda: store(service) == (200, "ok", "ok"), 30, "it is ready again")
    assert service.log.count(DOWN) == told_back(service) == 1


def told_back(service: ServiceProcess) -> int:
    """Return how often it said that its results can be stored again."""
    return sum(BACK in line and '"results"' in line for line in service.log.splitlines())


def holds(service: ServiceProcess) -> bool:
    """Tell whether it has partitions."""
    checks = service.json("/health/ready")["checks"]
    return "partitions" in next(c for c in checks if c["name"] == "assignment")["detail"]


def assert_is_secret(service: ServiceProcess) -> None:
    """Look for the password wherever the service speaks."""
    assert PASSWORD not in service.log
    for path in ("/health/ready", "/health/live", "/health/startup", "/metrics", "/version"):
        assert PASSWORD.encode() not in service.get(path)[2]
