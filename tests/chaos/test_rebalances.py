"""Services come and go in peace: partitions move, and nothing is paid for twice."""

from tests.blackbox.requests import plain
from tests.blackbox.service import ServiceProcess
from tests.blackbox.waiting import wait_until
from tests.blackbox.world import World
from tests.chaos.at_rest import judged_at_rest
from tests.chaos.patience import patient


def test_a_partition_that_moves_in_peace_pays_for_no_call_twice(world: World) -> None:
    """A second service joins while the first waits for ten answers; nobody crashed."""
    world.endpoint.configure(hold=True)
    patient(world).wait_ready()
    world.publish(plain(f"r{n}", f"user-{n}", partition=n % 6) for n in range(10))
    wait_until(lambda: world.endpoint.stats()["in_flight"] == 10, 20, "all calls are under way")
    second = patient(world).wait_ready()
    wait_until(lambda: _held_up(second) > 0, 30, "the second found a call of the first's")
    world.endpoint.configure(hold=False)
    world.outcomes(10, timeout_s=30)
    found = judged_at_rest(world)
    assert not found.problems
    calls = world.endpoint.stats()["calls_by_key"]
    assert (len(calls), sum(calls.values())) == (10, 10), calls
    sources = {event.body["source"] for event in found.generated}
    assert sources == {"model", "result_store"}


def test_a_drain_that_runs_out_of_time_keeps_nobody_waiting(world: World) -> None:
    """Calls cut by a shutdown are free to be made again at once, not when a lease has ended."""
    world.endpoint.configure(hold=True)
    first = patient(world, ENGINE__DRAIN_TIMEOUT_S="1").wait_ready()
    world.publish(plain(f"r{n}", f"user-{n}", partition=n) for n in range(6))
    wait_until(lambda: world.endpoint.stats()["in_flight"] == 6, 20, "all calls are under way")
    first.terminate()
    world.endpoint.configure(hold=False)
    second = patient(world).wait_ready()
    world.outcomes(6, timeout_s=30)
    assert _held_up(second) == 0
    assert not judged_at_rest(world).problems


def _held_up(service: ServiceProcess) -> float:
    """Return how often it waited because somebody else's call was under way."""
    return service.metric("jiraiya_store_lookups_total", result="busy")
