"""Static membership: a restart moves nothing, and two replicas under one name are found out."""

import re

from tests.blackbox.administrator import Administrator
from tests.blackbox.requests import plain
from tests.blackbox.service import ServiceProcess
from tests.blackbox.waiting import wait_until
from tests.blackbox.world import World

SOON_S = 45.0
NAME = "KAFKA__GROUP_INSTANCE_ID"


def held(service: ServiceProcess) -> set[int]:
    """Return the partitions a service holds."""
    metrics = service.get("/metrics")[2].decode()
    return {int(n) for n in re.findall(r'jiraiya_consumer_lag\{.*partition="(\d+)"', metrics)}


def two_replicas(world: World) -> tuple[ServiceProcess, ServiceProcess]:
    """Start two replicas with a name each and half of the partitions."""
    one, two = world.serve(**{NAME: "one"}), world.serve(**{NAME: "two"})
    wait_until(lambda: len(held(one)) == len(held(two)) == 3, SOON_S, "each has its share")
    return one, two


def test_a_restart_of_a_static_member_moves_no_partition(world: World) -> None:
    """The other replica hears nothing of it, and the partitions are where they were."""
    one, two = two_replicas(world)
    before, rebalances = held(one), two.metric("jiraiya_rebalances_total")
    one.terminate()
    world.publish(plain(f"r{n}", f"user-{n}", partition=n) for n in range(6))
    world.outcomes(3, SOON_S)
    again = world.serve(**{NAME: "one"})
    world.outcomes(6, SOON_S)
    assert held(again) == before
    assert two.metric("jiraiya_rebalances_total") == rebalances
    assert not world.judgement().problems


def test_of_two_replicas_under_one_name_one_ends_with_1_and_says_why(world: World) -> None:
    """The other works on, and nothing is published twice."""
    replicas = [world.serve(**{NAME: "one"}), world.service(**{NAME: "one"}).start()]
    world.publish(plain(f"a{n}", f"user-{n}") for n in range(5))
    wait_until(lambda: not all(replica.alive for replica in replicas), SOON_S, "one has ended")
    (ended,) = (replica for replica in replicas if not replica.alive)
    (other,) = (replica for replica in replicas if replica.alive)
    assert ended.wait(1) == 1
    lines = [line for line in ended.log.splitlines() if "JIRAIYA_KAFKA__GROUP_INSTANCE_ID" in line]
    assert len(lines) == 1
    assert lines[0].startswith("error: another replica has joined the group under the same")
    other.wait_ready()
    world.publish(plain(f"b{n}", f"user-{n}") for n in range(5))
    world.outcomes(10, SOON_S)
    assert not world.judgement().problems
    assert other.alive


def test_partitions_added_after_a_restart_are_taken_up(world: World, kafka_bootstrap: str) -> None:
    """Also when the member that restarted was the one that watched for them."""
    one, two = two_replicas(world)
    one.terminate()
    one = world.serve(**{NAME: "one"})
    two.terminate()
    two = world.serve(**{NAME: "two"})
    Administrator(kafka_bootstrap).grow(world.requested, 8)
    wait_until(lambda: len(held(one) | held(two)) == 8, SOON_S, "all eight are taken up")
