"""Requests that are withdrawn, wherever they are on their way: a real topic, real processes."""

import asyncio

import pytest
from confluent_kafka.admin import AdminClient, NewPartitions  # type: ignore[attr-defined]

from jiraiya_events.client import StoryClient, read_outcome
from jiraiya_events.contract.topics import Topics
from jiraiya_events.domain.codes import ErrorCode
from jiraiya_events.domain.outcome import StoryFailed
from jiraiya_events.domain.request import StoryRequested
from tests.blackbox.messages import Seen
from tests.blackbox.requests import Request, binary, plain, structured, withdrawal
from tests.blackbox.service import ServiceProcess
from tests.blackbox.waiting import wait_until
from tests.blackbox.world import World

SOON_S = 20
"""Far less than any wait, deadline or held call below."""


def told(event: Seen) -> tuple[str, str, int, bool | None]:
    """Return code, stage, calls and billing of a failure that nobody has to look at."""
    body = event.body
    assert (body["error"]["retryable"], body["dead_lettered"]) == (False, False)
    return body["error"]["code"], body["error"]["stage"], body["tries"], body["billed"]


def in_flight(world: World, count: int) -> None:
    """Wait until that many calls are under way."""
    wait_until(lambda: world.endpoint.stats()["in_flight"] == count, 20, f"{count} calls")


def marked(world: World, number: int) -> None:
    """Wait until every cancel so far has been read: the last of them ends a call in flight.

    All of them have one key, so they stand in one partition, in order.
    """
    before = world.endpoint.stats()["in_flight"]
    world.publish([plain(f"mark-{number}", f"mark-{number}")])
    in_flight(world, before + 1)
    world.cancel(withdrawal(f"mark-{number}"))
    in_flight(world, before)


def check(service: ServiceProcess) -> tuple[int, str, str]:
    """Return the status of readiness, and what it says of cancellations."""
    ready = service.json("/health/ready")
    found = next(c for c in ready["checks"] if c["name"] == "cancellations")
    return service.status("/health/ready"), found["status"], found["detail"]


def test_a_call_in_flight_is_closed_and_the_next_of_its_key_goes_on(world: World) -> None:
    """The endpoint sees the connection go; whether it charges for it is unknown."""
    world.endpoint.configure(hold=True)
    service = world.serve()
    world.publish([plain("one"), plain("two")])
    in_flight(world, 1)
    world.cancel(withdrawal("one", reason="closed by the user"))
    event = world.outcome(1, SOON_S)
    assert told(event) == ("cancelled", "generate", 1, None)
    assert event.body["error"]["message"].endswith("Reason: closed by the user")
    wait_until(lambda: world.endpoint.stats()["aborted"] == 1, SOON_S, "the call is closed")
    in_flight(world, 1)
    world.endpoint.configure(hold=False)
    world.outcomes(2, 30)
    # The id stands for its end: a resend costs nothing.
    world.publish([plain("one")])
    assert told(world.outcome(3, 30)) == ("cancelled", "generate", 1, None)
    assert not world.judgement().problems
    assert (world.endpoint.calls("k-one"), world.endpoint.calls("k-two")) == (1, 1)
    assert service.metric("jiraiya_events_completed_total", code="cancelled") == 2


def test_one_that_waits_behind_its_key_ends_when_its_turn_comes(world: World) -> None:
    """Order per key holds, and no call is made for it."""
    world.endpoint.configure(hold=True)
    world.serve()
    world.publish([plain("one"), plain("two"), plain("three")])
    in_flight(world, 1)
    world.cancel(withdrawal("two"))
    marked(world, 1)
    assert [e.body["request_id"] for e in world.outcomes(1, SOON_S)] == ["mark-1"]
    world.endpoint.configure(hold=False)
    world.outcomes(4, 30)
    found = world.judgement()
    assert not found.problems
    assert told(found.outcome_of("two")) == ("cancelled", "admit", 0, False)
    assert [found.outcome_of(one).topic for one in ("one", "three")] == [world.generated] * 2
    assert world.endpoint.calls("k-two") == 0


def test_one_that_waits_for_a_retry_is_woken(world: World) -> None:
    """The provider asked for a minute; the cancel takes no time."""
    world.endpoint.configure(default="rate_limit", retry_after_s=60)
    service = world.serve()
    world.publish([plain("one")])
    service.wait_log("the lane waits")
    world.cancel(withdrawal("one"))
    assert told(world.outcome(1, SOON_S)) == ("cancelled", "generate", 1, False)
    assert not world.judgement().problems
    assert world.endpoint.stats()["calls"] == 1


def test_those_parked_under_an_open_breaker_are_woken(world: World) -> None:
    """Only who was withdrawn; the others wait on, and the endpoint is left alone."""
    world.endpoint.configure(default="unauthorized_401")
    service = world.serve(BREAKER__OPEN_S="300")
    world.publish([plain("first")])
    service.wait_log("the circuit breaker opened")
    world.publish([plain("one", "user-2"), plain("two", "user-3")])
    wait_until(lambda: service.metric("jiraiya_waiting") == 3, 30, "three wait")
    world.cancel(withdrawal("one"))
    assert told(world.outcome(1, SOON_S))[:2] == ("cancelled", "generate")
    assert service.metric("jiraiya_waiting") == 2
    world.cancel(withdrawal("first"), withdrawal("two"))
    world.outcomes(3, SOON_S)
    found = world.judgement()
    assert not found.problems
    assert {told(event)[:2] for event in found.failed} == {("cancelled", "generate")}
    assert world.endpoint.stats()["calls"] == 1


@pytest.mark.parametrize("running", [True, False], ids=["running", "started later"])
def test_a_cancel_may_come_before_its_request(world: World, running: bool) -> None:  # noqa: FBT001
    """It is remembered, and a service that starts later reads it as well."""
    world.endpoint.configure(hold=True)
    if running:
        world.serve()
        world.cancel(withdrawal("one"), withdrawal("two", source="/kuybi/backend"))
        marked(world, 1)
        world.publish([plain("one"), binary("two"), structured("three")])
    else:
        world.cancel(withdrawal("one"), withdrawal("two", source="/kuybi/backend"))
        world.publish([plain("one"), binary("two"), structured("three")])
        world.serve()
    in_flight(world, 1)
    world.cancel(withdrawal("three", source="/kuybi/backend"))
    world.outcomes(4 if running else 3, 30)
    found = world.judgement()
    assert not found.problems
    assert told(found.outcome_of("one")) == ("cancelled", "admit", 0, False)
    assert told(found.outcome_of("two")) == ("cancelled", "admit", 0, False)
    assert told(found.outcome_of("three")) == ("cancelled", "generate", 1, None)


def test_too_late_unknown_and_malformed_cancels_are_harmless(world: World) -> None:
    """What is no cancel is counted in a line; the next one is read."""
    service = world.serve()
    world.publish([plain("one"), binary("two")])
    world.outcomes(2, 20)
    world.cancel(
        withdrawal("one"),
        withdrawal("nobody's"),
        # Another source, so another request.
        withdrawal("two"),
        Request(b"user-1", None),
        Request(b"user-1", b"\xff\xfe{"),
        Request(b"user-1", b"{}", [("ce_type", b"\xff"), ("x-\u00e9", None), ("", b"")]),
        Request(b"user-1", b"[" * 5_000),
        Request(None, b'{"request_id": 7}'),
        Request(b"user-1", b'{"request_id": "two"}', [("ce_type", b"com.kuybi.story.failed.v1")]),
    )
    world.endpoint.configure(hold=True)
    marked(world, 1)
    world.endpoint.configure(hold=False)
    world.publish([plain("one"), binary("two")])
    world.outcomes(5, 30)
    found = world.judgement()
    assert not found.problems
    assert (len(found.generated), len(found.failed)) == (4, 1)
    # Lines that repeat are held back for a while, so the log has the first of six.
    assert "a cancellation cannot be read and is skipped" in service.log
    assert check(service) == (200, "ok", "")


def test_every_replica_hears_of_every_cancel(world: World) -> None:
    """12 requests over two replicas; half of them are withdrawn, and those calls are closed."""
    world.endpoint.configure(hold=True)
    replicas = [world.serve(), world.serve()]
    wait_until(lambda: all(shares(r) for r in replicas), 30, "both have partitions")
    world.publish(plain(f"r{number}", f"user-{number}") for number in range(12))
    in_flight(world, 12)
    assert all(replica.metric("jiraiya_in_flight") for replica in replicas)
    world.cancel(*(withdrawal(f"r{number}", f"user-{number}") for number in range(6)))
    events = world.outcomes(6, SOON_S)
    assert {event.body["request_id"] for event in events} == {f"r{n}" for n in range(6)}
    in_flight(world, 6)
    world.endpoint.configure(hold=False)
    world.outcomes(12, 30)
    found = world.judgement()
    assert not found.problems
    assert (len(found.generated), len(found.failed)) == (6, 6)
    assert world.endpoint.stats()["aborted"] == 6


def shares(replica: ServiceProcess) -> bool:
    """Tell whether the replica has some, but not all, of the six partitions."""
    checks = replica.json("/health/ready")["checks"]
    detail = next(c for c in checks if c["name"] == "assignment")["detail"]
    return bool(detail == "3 partitions")


def test_a_partition_that_is_added_is_read(world: World) -> None:
    """Also what was written to it before that was noticed."""
    world.endpoint.configure(hold=True)
    world.serve()
    admin = AdminClient({"bootstrap.servers": world.bootstrap, "log_level": 0})
    growing = admin.create_partitions([NewPartitions(world.cancelled, 8)])
    growing[world.cancelled].result(20)
    world.publish([plain("one"), plain("two", "user-2")])
    in_flight(world, 2)
    wait_until(lambda: has_leader(admin, world.cancelled, 7), 20, "the partition can be written")
    world.cancel(withdrawal("one", partition=7), withdrawal("two", partition=0))
    world.outcomes(2, 40)
    assert not world.judgement().problems


def has_leader(admin: AdminClient, topic: str, partition: int) -> bool:
    """Tell whether the partition is there and led."""
    partitions = admin.list_topics(topic, timeout=20).topics[topic].partitions
    return partition in partitions and partitions[partition].leader >= 0


def test_without_the_topic_stories_are_written_and_readiness_says_so(
    kafka_bootstrap: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """It is optional, so nothing is wrong; once the topic is there, cancels are read."""
    with World(kafka_bootstrap, tmp_path_factory.mktemp("world")) as world:
        world.create_topics(cancelled=False)
        service = world.serve()
        status, state, detail = check(service)
        assert (status, state) == (200, "ok")
        assert world.cancelled in detail
        assert "jiraiya topics apply" in detail
        world.publish([plain("one")])
        assert world.outcome(1).topic == world.generated
        world.create_cancelled()
        wait_until(lambda: check(service) == (200, "ok", ""), 30, "cancellations are read")
        world.endpoint.configure(hold=True)
        world.publish([plain("two")])
        in_flight(world, 1)
        world.cancel(withdrawal("two"))
        assert told(world.outcome(2, SOON_S)) == ("cancelled", "generate", 1, None)
        assert not world.judgement().problems


async def test_the_client_withdraws_what_it_has_asked_for(world: World) -> None:
    """The outcome is awaited as ever."""
    world.endpoint.configure(hold=True)
    await asyncio.to_thread(world.serve)
    topics = Topics(
        requested=world.requested,
        generated=world.generated,
        failed=world.failed,
        cancelled=world.cancelled,
    )
    async with StoryClient({"bootstrap_servers": world.bootstrap}, topics) as client:
        sent = await client.publish_request(StoryRequested(user_id="mina", keywords=["moon"]))
        await asyncio.to_thread(in_flight, world, 1)
        await client.cancel(sent.request_id, reason="changed her mind", key=b"mina")
        outcome = read_outcome(await client.wait_outcome(sent.request_id, SOON_S))
    assert isinstance(outcome, StoryFailed)
    assert outcome.error.code is ErrorCode.CANCELLED
    assert outcome.error.message.endswith("changed her mind")
    assert not (await asyncio.to_thread(world.judgement)).problems
