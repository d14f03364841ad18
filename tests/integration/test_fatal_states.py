"""What cannot go on by itself says so within a minute, and goes on as soon as it can."""

import json
from typing import Any

import pytest
from confluent_kafka import KafkaException

from tests.blackbox.administrator import Administrator
from tests.blackbox.bent_service import FEW, bend
from tests.blackbox.reader import TopicReader
from tests.blackbox.requests import Request, plain
from tests.blackbox.service import ServiceProcess
from tests.blackbox.waiting import wait_until
from tests.blackbox.world import World

SOON_S = 40.0


@pytest.fixture
def administrator(kafka_bootstrap: str) -> Administrator:
    """Give the test power over the cluster."""
    return Administrator(kafka_bootstrap)


def failing(service: ServiceProcess) -> dict[str, str]:
    """Return what readiness finds failing, by the check's name."""
    checks = service.json("/health/ready")["checks"]
    return {c["name"]: c["detail"] for c in checks if c["status"] == "failing"}


def told(service: ServiceProcess, words: str) -> list[dict[str, Any]]:
    """Return the lines of its log with these words."""
    return [json.loads(line) for line in service.log.splitlines() if words in line]


def user(number: int) -> str:
    """Return a key."""
    return f"user-{number}"


@pytest.mark.parametrize("kind", ["generated", "dlq"])
def test_a_missing_output_is_named_and_waited_for(
    world: World, administrator: Administrator, kind: str
) -> None:
    """Readiness and one line name the topic and the command; nothing is lost or paid again."""
    topic = getattr(world, kind)
    service = world.serve()
    administrator.delete(topic)
    world.publish([plain("story", user(1)), plain("wrong", user(2), user_id="")])
    wait_until(lambda: "topics_and_rights" in failing(service), SOON_S, "the lack shows")
    assert failing(service)["topics_and_rights"] == (
        f"the topic {topic} is missing: `jiraiya topics apply` creates it"
    )
    wait_until(lambda: "partitions" in failing(service), SOON_S, "a partition stands still")
    assert service.status("/health/live") == 200
    administrator.create(topic, 6)
    with TopicReader(world.bootstrap, [world.generated, world.failed]) as reader:
        assert reader.until(lambda seen: len(seen) >= 2, SOON_S)
    wait_until(lambda: service.status("/health/ready") == 200, SOON_S, "it is ready again")
    assert len(told(service, "Kafka lacks what the service needs")) == 1
    assert len(told(service, "Kafka has again")) == 1
    assert world.endpoint.calls("k-story") == 1
    assert not world.judgement().problems


def test_a_deleted_input_is_waited_for_and_its_successor_read_from_the_start(
    world: World, administrator: Administrator
) -> None:
    """Also while calls of the old topic's requests still run: offsets of the new one are new."""
    world.endpoint.configure(hold=True)
    service = world.serve()
    world.publish(plain(f"old-{n}", user(n), partition=0) for n in range(3))
    wait_until(lambda: world.endpoint.stats()["in_flight"] == 3, SOON_S, "calls are under way")
    administrator.delete(world.requested)
    wait_until(lambda: "topics_and_rights" in failing(service), SOON_S, "the lack shows")
    assert f"{world.requested} is missing" in failing(service)["topics_and_rights"]
    administrator.create(world.requested, 6)
    world.publish(plain(f"new-{n}", user(n), partition=0) for n in range(5))
    service.wait_log("deleted and created again", SOON_S)
    wait_until(lambda: world.endpoint.stats()["calls"] >= 8, SOON_S, "new ones are begun")
    world.endpoint.configure(hold=False)
    with TopicReader(world.bootstrap, [world.generated]) as reader:
        assert reader.until(lambda seen: len(seen) >= 5, SOON_S)
    wait_until(lambda: set(world.lag().values()) == {0}, SOON_S, "all is committed")
    assert failing(service) == {}
    with TopicReader(world.bootstrap, [world.generated]) as reader:
        named = [event.header("ce_subject") or "" for event in reader.to_the_end(SOON_S)]
    assert sorted(named) == [f"new-{n}" for n in range(5)]


def test_topics_that_are_missing_at_the_start_are_named_and_waited_for(
    world: World, administrator: Administrator
) -> None:
    """Nothing is paid for before there is a place to publish it."""
    administrator.delete(world.generated)
    administrator.delete(world.dlq)
    world.publish([plain("one")])
    service = world.service().start()
    service.wait_log("Kafka lacks what the service needs")
    wait_until(lambda: "started" in _startup(service), SOON_S, "the start says what it waits for")
    assert world.dlq in _startup(service)["started"]
    assert world.generated in failing(service)["topics_and_rights"]
    assert world.endpoint.stats()["calls"] == 0
    administrator.create(world.generated, 6)
    administrator.create(world.dlq, 6)
    service.wait_ready()
    world.outcomes(1, SOON_S)


def _startup(service: ServiceProcess) -> dict[str, str]:
    return {c["name"]: c["detail"] for c in service.json("/health/startup")["checks"]}


def test_partitions_that_are_added_are_taken_up_and_told(
    world: World, administrator: Administrator
) -> None:
    """Within seconds, with a line on what it means for the order of keys."""
    service = world.serve()
    administrator.grow(world.requested, 8)
    service.wait_log("another number of partitions", SOON_S)
    world.publish(plain(f"r{n}", user(n), partition=n) for n in range(8))
    world.outcomes(8, SOON_S)
    assert not world.judgement().problems
    (line,) = told(service, "another number of partitions")
    assert (line["topic"], line["before"], line["now"]) == (world.requested, 6, 8)


def test_requests_that_retention_took_while_nobody_ran_are_told(
    world: World, administrator: Administrator
) -> None:
    """Consumption goes on from the log's beginning, and the loss is counted."""
    world.serve().terminate()
    first = world.serve()
    world.publish(plain(f"a{n}", partition=0) for n in range(3))
    world.outcomes(3, SOON_S)
    first.terminate()
    world.publish(plain(f"b{n}", partition=0) for n in range(10))
    administrator.delete_records(world.requested, 0, 9)
    service = world.serve()
    service.wait_log("requests were lost", SOON_S)
    (line,) = told(service, "requests were lost")
    assert (line["partition"], line["first"], line["last"], line["at_most"]) == (0, 3, 8, 6)
    assert line["level"] == "error"
    world.outcomes(7, SOON_S)
    wait_until(lambda: set(world.lag().values()) == {0}, SOON_S, "all is committed")


def test_a_loss_is_told_also_when_nothing_comes_after_it(
    world: World, administrator: Administrator
) -> None:
    """An emptied partition delivers no record that could show the gap."""
    first = world.serve()
    world.publish([plain("a", partition=0)])
    world.outcomes(1, SOON_S)
    first.terminate()
    world.publish(plain(f"b{n}", partition=0) for n in range(4))
    administrator.delete_records(world.requested, 0, 5)
    service = world.serve()
    service.wait_log("requests were lost", SOON_S)
    wait_until(lambda: set(world.lag().values()) == {0}, SOON_S, "the group steps over them")


def test_requests_that_retention_takes_from_before_a_slow_reader_are_told(
    world: World, administrator: Administrator
) -> None:
    """The client jumps over them in silence; every one that was not lost has its outcome."""
    count, beginning = 160, 150
    world.endpoint.configure(hold=True)
    service = bend(world.service(), "accept-few").start().wait_ready()
    large = "x" * 20_000  # so that the client cannot have fetched all of them ahead
    world.publish(_large(n, large) for n in range(count))
    wait_until(lambda: world.endpoint.stats()["in_flight"] >= FEW, SOON_S, "the limit is reached")
    administrator.delete_records(world.requested, 0, beginning)
    world.endpoint.configure(hold=False)
    service.wait_log("requests were lost", SOON_S)
    (line,) = told(service, "requests were lost")
    assert FEW <= line["first"] < line["last"] == beginning - 1
    done = count - line["at_most"]
    world.outcomes(done, SOON_S)
    with TopicReader(world.bootstrap, [world.generated]) as reader:
        assert len(reader.to_the_end(SOON_S)) == done
    wait_until(lambda: set(world.lag().values()) == {0}, SOON_S, "all is committed")


def _large(number: int, text: str) -> Request:
    return plain(f"r{number}", user(number), partition=0, ignored=text)


def test_a_group_that_was_deleted_begins_anew_and_says_so(
    world: World, administrator: Administrator
) -> None:
    """Refused while somebody runs; afterwards outcomes come from the store and cost nothing."""
    first = world.serve()
    world.publish(plain(f"a{n}", partition=0) for n in range(3))
    world.outcomes(3, SOON_S)
    with pytest.raises(KafkaException, match="not empty"):
        administrator.delete_group(world.group)
    first.terminate()
    administrator.delete_group(world.group)
    service = world.serve()
    service.wait_log("nothing is committed here", SOON_S)
    again = world.outcomes(6, SOON_S)
    assert {event.body["source"] for event in again[3:]} == {"result_store"}
    assert world.endpoint.stats()["calls"] == 3
    assert failing(service) == {}


@pytest.mark.parametrize(
    ("offset", "metadata", "words"),
    [
        (1, "9not-ours", "docs/runbooks/stuck-partition.md"),
        (7000, "", "set the group's offset of this partition back"),
    ],
    ids=["unreadable", "beyond-the-end"],
)
def test_progress_that_cannot_be_believed_stops_its_partition_alone(
    world: World, administrator: Administrator, offset: int, metadata: str, words: str
) -> None:
    """Readiness and one line name the mend, and after it the partition goes on."""
    first = world.serve()
    world.publish([plain("a", partition=0)])
    world.outcomes(1, SOON_S)
    first.terminate()
    administrator.commit(world.group, world.requested, 0, offset, metadata)
    service = world.serve()
    service.wait_log("a partition stopped", SOON_S)
    world.publish([plain("b", partition=0), plain("c", user(2), partition=1)])
    world.outcomes(2, SOON_S)
    assert "partition 0: " in failing(service)["partitions"]
    assert words in failing(service)["partitions"]
    assert len(told(service, "a partition stopped")) == 1
    assert service.status("/health/live") == 200
    service.terminate()
    administrator.commit(world.group, world.requested, 0, 1, "")
    world.serve()
    world.outcomes(3, SOON_S)
    assert not world.judgement().problems


def test_a_fenced_partition_says_so_once_and_goes_on(
    world: World, administrator: Administrator
) -> None:
    """Somebody took its transactional id; the partition is still ours."""
    service = world.serve()
    world.publish([plain("first", partition=0)])
    world.outcomes(1, SOON_S)  # the partition has a producer of its own by now
    administrator.take_epoch(f"{world.group}.{world.requested}.0")
    world.publish([plain("a", partition=0)])
    world.outcomes(2, SOON_S)
    assert not world.judgement().problems
    (line,) = told(service, "did not commit")
    assert line["fenced"] is True
    assert service.metric("jiraiya_transactions_total", result="fenced") == 1
    assert failing(service) == {}
