"""Models that stand in for each other: who writes, with whose key, and who writes again later."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.blackbox.asking import ask, codes
from tests.blackbox.messages import Seen
from tests.blackbox.model_host import HostThread
from tests.blackbox.requests import Request, plain
from tests.blackbox.service import ServiceProcess
from tests.blackbox.waiting import wait_until
from tests.blackbox.world import World

MAIN_KEY, OTHER_KEY = "key-of-the-main-house", "key-of-the-other-house"


@pytest.fixture
def main() -> Iterator[HostThread]:
    """Serve `writer` and `second`."""
    with HostThread(MAIN_KEY) as thread:
        yield thread


@pytest.fixture
def other() -> Iterator[HostThread]:
    """Serve `third`."""
    with HostThread(OTHER_KEY) as thread:
        yield thread


def serve(world: World, main: HostThread, other: HostThread) -> ServiceProcess:
    """Return a service with three models at two endpoints."""
    elsewhere = {"model": "third", "base_url": other.base_url, "api_key": OTHER_KEY}
    return world.serve(
        LLM__BASE_URL=main.base_url,
        LLM__API_KEY=MAIN_KEY,
        LLM__MODEL="writer",
        LLM__FALLBACK_MODELS=json.dumps(["second", elsewhere]),
        BREAKER__CONSECUTIVE_FAILURES="5",
        BREAKER__OPEN_S="1",
        BREAKER__HALF_OPEN_CALLS="2",
        ENGINE__RETRY_BASE_S="0.05",
        ENGINE__RETRY_CAP_S="0.1",
    )


def wishes(name: str, count: int, **fields: Any) -> list[Request]:
    """Return requests of several users."""
    return [plain(f"{name}-{n}", f"user-{n}", **fields) for n in range(count)]


def writers(events: list[Seen]) -> set[tuple[str, str]]:
    """Return who wrote these stories, and as what."""
    return {(event.body["source"], event.body["model"]) for event in events}


def breaker(service: ServiceProcess, name: str) -> float:
    """Return 0 for closed, 1 for half-open, 2 for open."""
    return service.metric("jiraiya_circuit_breaker_state", name=name)


def test_the_next_model_in_order_writes_until_the_first_one_is_back(
    world: World, main: HostThread, other: HostThread
) -> None:
    """A broken model costs no story and few calls; each endpoint sees its own key alone."""
    service = serve(world, main, other)
    assert writers(ask(world, wishes("before", 5))) == {("model", "writer")}
    main.host.down = frozenset({"writer"})
    assert writers(ask(world, wishes("first", 20))) == {("fallback", "second")}
    assert breaker(service, "writer") > 0
    assert breaker(service, "second") == 0
    main.host.down = frozenset({"writer", "second"})
    tries = iter(range(1000))

    def is_degraded() -> bool:
        # Some while after the last call that failed, a model may be tried again: no trouble.
        wrote = writers(ask(world, wishes(f"both{next(tries)}", 10)))
        assert wrote == {("fallback", "third")}
        return bool(service.json("/health/ready")["status"] == "degraded")

    wait_until(is_degraded, 30, "it is degraded")
    assert service.status("/health/ready") == 200
    main.host.down = frozenset()
    back = {("model", "writer")}
    wait_until(
        lambda: writers(ask(world, wishes(f"again{next(tries)}", 2))) == back, 30, "it is back"
    )
    wait_until(lambda: breaker(service, "writer") == 0, 30, "its breaker closes")
    found = world.judgement()
    assert not found.problems
    assert not found.failed
    assert {key for key, _ in main.host.asked} == {MAIN_KEY}
    assert set(other.host.asked) == {(OTHER_KEY, "third")}
    for secret in (MAIN_KEY, OTHER_KEY):
        assert secret not in service.log


def test_what_a_model_refuses_to_write_no_other_model_is_asked_for(
    world: World, main: HostThread, other: HostThread
) -> None:
    """What one spoils twice, another one writes; the model a request names is asked first."""
    main.configure(
        script_by_key={
            "k-refused-0": ("refusal",),
            "k-filtered-0": ("content_filter",),
            "k-spoiled-0": ("invalid_json",) * 2,
        }
    )
    service = serve(world, main, other)
    events = ask(world, [*wishes("refused", 1), *wishes("filtered", 1)])
    assert codes(events) == ["content_blocked"] * 2
    assert {event.body["tries"] for event in events} == {1}
    assert set(main.host.asked) == {(MAIN_KEY, "writer")}
    assert writers(ask(world, wishes("spoiled", 1))) == {("fallback", "second")}
    assert main.host.asked == {(MAIN_KEY, "writer"): 4, (MAIN_KEY, "second"): 1}
    assert not other.host.asked
    assert writers(ask(world, wishes("named", 1, model="third"))) == {("model", "third")}
    # Nor is anybody begun with who would not be finished in time.
    main.host.down = frozenset({"writer"})
    ask(world, wishes("opening", 5))
    assert breaker(service, "writer") > 0
    begun = main.host.asked[MAIN_KEY, "second"], other.host.asked.total()
    # Its time counts from its first look, as its stamp is of the future.
    hasty = wishes("hasty", 1, timeout_ms=1900, timestamp_ms=round(time.time() + 1800) * 1000)
    assert codes(ask(world, hasty)) == ["provider_unavailable"]
    assert (main.host.asked[MAIN_KEY, "second"], other.host.asked.total()) == begun
    assert not world.judgement().problems


def test_who_asks_for_a_wait_is_waited_for_unless_the_deadline_comes_first(
    world: World, main: HostThread, other: HostThread
) -> None:
    """A 429 uses no try, and only one that asks for too much sends the request elsewhere."""
    serve(world, main, other)
    main.configure(script=("rate_limit",) * 3, retry_after_s=0.2)
    events = ask(world, wishes("soon", 5, timeout_ms=10_000))
    assert writers(events) == {("model", "writer")}
    main.configure(script=("rate_limit",) * 99, retry_after_s=30)
    assert writers(ask(world, wishes("late", 3, timeout_ms=10_000), 8)) == {("fallback", "third")}
    assert not world.judgement().problems


def test_without_a_good_key_another_house_writes_and_without_any_the_requests_wait(
    world: World, main: HostThread, other: HostThread
) -> None:
    """A revoked key is no try of any request, and never goes anywhere else."""
    main.host.keys = frozenset({"a new one"})
    service = serve(world, main, other)
    assert writers(ask(world, wishes("revoked", 10))) == {("fallback", "third")}
    assert breaker(service, "writer") > 0
    other.host.down = frozenset({"third"})
    world.publish(wishes("waiting", 10))
    wait_until(lambda: breaker(service, "third") == 2, 30, "nobody can write")
    wait_until(lambda: sum(main.host.asked.values()) > 12, 30, "trials are made")
    assert len(world.judgement().generated) == 10
    main.host.keys = frozenset({MAIN_KEY})
    world.outcomes(20, 30)
    found = world.judgement()
    assert not found.problems
    assert len(found.generated) == 20
    assert {key for key, _ in other.host.asked} == {OTHER_KEY}
    assert MAIN_KEY not in service.log
