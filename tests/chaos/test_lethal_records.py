"""Records that take the process down with them, and kills that are nobody's fault."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from tests.blackbox.requests import plain
from tests.blackbox.service import ServiceProcess
from tests.blackbox.waiting import wait_until
from tests.blackbox.world import World
from tests.chaos.at_rest import judged_at_rest

DEATHS_AT_MOST = 5
KILLS = 6
SEED = 20_261_123


def fragile(world: World, **changes: str) -> ServiceProcess:
    """Return a service that some keywords crash; not started yet."""
    # A static member takes its own place again at once instead of after a session time-out.
    service = world.service(ENGINE__MAX_IN_FLIGHT="8", KAFKA__GROUP_INSTANCE_ID="only", **changes)
    service.program = "tests.chaos.programs.fragile"
    return service


def restarted_until(world: World, service: ServiceProcess, count: int) -> int:
    """Start the service again whenever it dies, until there are `count` outcomes; count deaths."""
    deaths = 0
    service.start()
    with ThreadPoolExecutor() as reader:
        all_there = reader.submit(world.outcomes, count, 200)
        while not all_there.done():
            if not service.alive:
                deaths += 1
                service.start()
            wait([all_there], 0.1)
    all_there.result()
    return deaths


@pytest.mark.timeout(240)
@pytest.mark.parametrize("how", ["die-aborting", "die-reading", "die-recursing"])
def test_a_record_that_crashes_the_process_is_found_out(world: World, how: str) -> None:
    """At most five crashes, and everybody around it gets a story."""
    world.endpoint.configure(latency={"kind": "fixed", "seconds": 0.3})
    around = [plain(f"story-{number}", f"k{number % 7}") for number in range(30)]
    lethal = plain("lethal", "k3", marker=how)
    world.publish([*around[:10], lethal, *around[10:]])
    service = fragile(world)
    deaths = restarted_until(world, service, len(around) + 1)
    found = judged_at_rest(world)
    assert not found.problems
    assert len(found.generated) == len(around)
    (failed,) = found.failed
    assert failed.body["error"]["code"] == "internal"
    assert "broke down several times" in failed.body["error"]["message"]
    assert failed.body["billed"] is None
    (letter,) = found.dead_letters
    assert letter.value == lethal.value
    assert 3 <= deaths <= DEATHS_AT_MOST
    assert "an earlier process of this service crashed" in service.log
    assert not list((world.folder / "journals").glob("*.*")), "nothing is left to suspect anybody"


@pytest.mark.timeout(240)
def test_kills_from_outside_cost_no_innocent(world: World) -> None:
    """Six of them, each while the same slow requests are in flight, one of them all alone."""
    world.endpoint.configure(hold=True)
    requests = [plain(f"slow-{number}", f"k{number}") for number in range(4)]
    # Without a store that outlives them: what a process leaves behind is its journal alone.
    service = fragile(world, STORE__URL="memory://").start()
    dice = random.Random(SEED)
    for number in range(KILLS):
        if number == 0:
            world.publish(requests[:1])
        if number == KILLS // 2:
            world.publish(requests[1:])
        _wait_for_in_flight(service, 1 if number < KILLS // 2 else len(requests))
        threading.Event().wait(dice.uniform(0, 0.5))
        under_way = service.metric("jiraiya_in_flight")
        service.kill()
        service.start().wait_ready()
        # What was at work may be paid for again: counted, by the next process.
        assert service.metric("jiraiya_requests_cut_by_crash_total") == under_way
    world.endpoint.configure(hold=False)
    world.outcomes(len(requests), 60)
    found = judged_at_rest(world)
    assert not found.problems
    assert len(found.generated) == len(requests)
    assert not found.dead_letters
    assert service.log.count("was killed, or its machine went down") == KILLS


def _wait_for_in_flight(service: ServiceProcess, count: int) -> None:
    service.wait_ready()
    wait_until(
        lambda: service.metric("jiraiya_in_flight") == count, 40, f"{count} requests in flight"
    )
