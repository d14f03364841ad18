"""FastStream's seam, held in place: these tests fail loudly when a new version moves it."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.protocol.group import JoinGroupRequest
from faststream import AckPolicy, BaseMiddleware
from faststream.kafka import KafkaBroker, TestKafkaBroker
from faststream.kafka.subscriber.usecase import DefaultSubscriber, LogicSubscriber

from jiraiya_events.adapters.kafka import subscriber
from jiraiya_events.adapters.kafka.subscriber import (
    YIELD_EVERY,
    EngineListener,
    EngineSubscriber,
    decode,
    parse,
    to_record,
)
from jiraiya_events.adapters.memory.intake import MemoryIntake
from jiraiya_events.adapters.memory.log import MemoryLog
from jiraiya_events.adapters.memory.writer import MemoryWriter
from jiraiya_events.engine.engine import Engine
from jiraiya_events.engine.records import Headers, Partition, Record
from jiraiya_events.engine.session_state import SessionState
from jiraiya_events.engine.verdicts import Done, Retry, Verdict, Work

TOPIC = "story.requested"
HOSTILE: list[Headers] = [
    (),
    (("a", None),),
    (("a", b"\xff\xfe\x00"),),
    (("content-type", b"\xff"), ("correlation_id", None), ("message_id", b"\xfe")),
    (("reply_to", b"story.generated"), ("correlation_id", b"\xff")),
]


def consumer_record(
    value: bytes | None = b"{}", headers: Headers = (), offset: int = 7
) -> ConsumerRecord:
    """Make what aiokafka delivers."""
    return ConsumerRecord(
        topic=TOPIC,
        partition=3,
        offset=offset,
        timestamp=1_700_000_000_000,
        timestamp_type=0,
        key=b"user",
        value=value,
        checksum=None,
        serialized_key_size=4,
        serialized_value_size=len(value or b""),
        headers=tuple(headers),
    )


class Watching(BaseMiddleware):
    """Counts what passes."""

    seen = 0

    async def consume_scope(self, call_next: Callable[[Any], Awaitable[Any]], msg: Any) -> Any:
        """Count a message."""
        type(self).seen += 1
        return await call_next(msg)


async def getone(consumer: AIOKafkaConsumer) -> ConsumerRecord:
    """Read as aiokafka does."""
    return await consumer.getone()


class Edge:
    """A broker with one subscriber of ours and a handler that keeps what it was given."""

    def __init__(self) -> None:
        self.delivered: list[Record] = []
        self.handled: list[Work] = []
        self.verdict: Verdict = Done([])
        Watching.seen = 0
        self.broker = KafkaBroker(
            "127.0.0.1:1", logger=None, apply_types=False, middlewares=(Watching,)
        )
        made = self.broker.subscriber(
            TOPIC,
            group_id="g",
            parser=parse,
            decoder=decode,
            ack_policy=AckPolicy.MANUAL,
            no_reply=True,
        )
        self.made_class = type(made)
        self.subscriber = EngineSubscriber.install(made, self.delivered.append, getone)
        self.subscriber(self._handle)

    async def _handle(self, work: Work) -> Verdict:
        self.handled.append(work)
        return self.verdict


@pytest.fixture
def edge() -> Edge:
    """Return an edge that was not started."""
    return Edge()


def test_the_factory_still_makes_the_class_that_is_swapped(edge: Edge) -> None:
    """Swapping `__class__` keeps every slot only while this is what FastStream makes."""
    assert edge.made_class is DefaultSubscriber
    assert type(edge.subscriber) is EngineSubscriber
    assert EngineSubscriber.__mro__[1] is DefaultSubscriber


@pytest.mark.parametrize(
    "name", ["consume_one", "process_message", "get_msg", "_run_consume_loop", "start", "stop"]
)
def test_the_methods_of_the_seam_are_where_they_were(name: str) -> None:
    """A method that was renamed would be overridden by nothing, in silence."""
    assert inspect.iscoroutinefunction(getattr(DefaultSubscriber, name))


def test_the_attributes_of_the_seam_are_where_they_were(edge: Edge) -> None:
    """`consumer` is there before the start; the broker keeps the swapped subscriber."""
    assert "consumer" in inspect.get_annotations(LogicSubscriber)
    assert edge.subscriber.consumer is None
    assert edge.subscriber.running is False
    assert list(edge.broker.subscribers) == [edge.subscriber]


async def test_the_consume_loop_hands_each_record_to_consume_one(edge: Edge) -> None:
    """FastStream's own loop, over a consumer that stops after two records."""

    class TwoRecords:
        """Delivers twice."""

        left = 2

        async def getone(self) -> ConsumerRecord:
            """Deliver one, and end the loop with the second."""
            self.left -= 1
            edge.subscriber.running = self.left > 0
            return consumer_record(offset=10 - self.left)

    edge.subscriber.running = True
    await edge.subscriber._run_consume_loop(TwoRecords())
    assert [record.offset for record in edge.delivered] == [9, 10]


async def test_a_read_record_is_delivered_and_not_handled(edge: Edge) -> None:
    """The engine decides when its turn has come."""
    await edge.subscriber.consume_one(consumer_record(b"v", (("h", b"1"),)))
    assert edge.delivered == [Record(TOPIC, 3, 7, 1_700_000_000_000, b"user", b"v", (("h", b"1"),))]
    assert edge.handled == []


async def test_the_loop_is_let_go_between_prefetched_records(edge: Edge) -> None:
    """A long run of records that are there already must not starve the others."""
    yields = [
        await _yields(edge.subscriber.consume_one(consumer_record(offset=number)))
        for number in range(2 * YIELD_EVERY)
    ]
    assert sum(yields) == 2
    assert yields[YIELD_EVERY - 1] == yields[-1] == 1


async def _yields(step: Any) -> int:
    count = 0
    while True:
        try:
            step.send(None)
        except StopIteration:
            return count
        count += 1


async def test_a_call_returns_the_very_verdict_of_the_handler(edge: Edge) -> None:
    """Nothing is copied, wrapped or encoded on the way back, middlewares have run."""
    work = Work(to_record(consumer_record()), 1.0)
    for verdict in (Done([]), Retry(2.0)):
        edge.verdict = verdict
        async with TestKafkaBroker(edge.broker):
            assert await edge.subscriber.call(work) is verdict
    assert edge.handled[0] is work
    assert Watching.seen == 2


async def test_what_the_handler_raises_reaches_the_engine(edge: Edge) -> None:
    """FastStream must not swallow a crash: the engine ends the record."""
    broker, handled = edge.broker, edge.handled

    async def crash(work: Work) -> Verdict:
        handled.append(work)
        raise ZeroDivisionError

    made = broker.subscriber("other", parser=parse, decoder=decode, no_reply=True)
    crashing = EngineSubscriber.install(made, edge.delivered.append, getone)
    crashing(crash)
    async with TestKafkaBroker(broker):
        with pytest.raises(ZeroDivisionError):
            await crashing.call(Work(to_record(consumer_record()), 0.0))


@pytest.mark.parametrize("bug", [ValueError("a bug"), BaseExceptionGroup("", [GeneratorExit()])])
async def test_reading_goes_on_after_an_error_of_the_log(
    edge: Edge, monkeypatch: pytest.MonkeyPatch, bug: BaseException
) -> None:
    """A reader that died would look like an idle one."""
    monkeypatch.setattr(subscriber, "AGAIN_S", 0.0)
    answers: list[BaseException | ConsumerRecord] = [bug, consumer_record()]

    class Stumbling:
        """Raises once, then delivers."""

        async def getone(self) -> ConsumerRecord:
            """Give the next answer, and end the loop with the last."""
            answer = answers.pop(0)
            edge.subscriber.running = bool(answers)
            if isinstance(answer, BaseException):
                raise answer
            return answer

    edge.subscriber.running = True
    await edge.subscriber._run_consume_loop(Stumbling())
    assert len(edge.delivered) == 1


@pytest.mark.parametrize("value", [None, b"", b"\xff\xfe", b"{"])
@pytest.mark.parametrize("headers", HOSTILE)
async def test_hostile_bytes_reach_the_handler(
    edge: Edge, value: bytes | None, headers: Headers
) -> None:
    """Decoding is the handler's: nothing before it can fail on bytes."""
    work = Work(to_record(consumer_record(value, headers)), 0.0)
    async with TestKafkaBroker(edge.broker):
        await edge.subscriber.call(work)
    assert edge.handled == [work]
    assert edge.handled[0].record.value == value
    assert tuple(edge.handled[0].record.headers) == headers


async def test_a_reply_to_header_publishes_nothing(edge: Edge) -> None:
    """Who sends a record does not decide where we publish."""
    echoed: list[object] = []

    async def listen(body: object) -> None:
        echoed.append(body)

    edge.broker.subscriber("story.generated")(listen)
    record = to_record(consumer_record(headers=(("reply_to", b"story.generated"),)))
    async with TestKafkaBroker(edge.broker):
        await edge.subscriber.call(Work(record, 0.0))
    assert len(edge.handled) == 1
    assert echoed == []


async def test_the_test_broker_reaches_the_handler_with_a_plain_record(edge: Edge) -> None:
    """`TestKafkaBroker` goes round the engine, and still gives the handler a `Work`."""
    async with TestKafkaBroker(edge.broker) as broker:
        await broker.publish(b"hello", TOPIC, key=b"k")
    assert edge.handled[0].record.value == b"hello"
    assert edge.handled[0].record.key == b"k"
    assert edge.delivered == []


async def test_the_listener_tells_the_engine_and_waits_for_nothing() -> None:
    """Plain functions: heartbeats stop while a rebalance callback runs."""
    log = MemoryLog()
    engine = Engine(MemoryIntake(log), lambda p: MemoryWriter(log, p), _Never())
    listener = EngineListener(lambda: engine)
    assert listener.on_partitions_assigned({TopicPartition(TOPIC, 0)}) is None  # type: ignore[func-returns-value]
    (session,) = engine.statistics().sessions
    assert session.partition == Partition(TOPIC, 0)
    assert listener.on_partitions_revoked({TopicPartition(TOPIC, 0)}) is None  # type: ignore[func-returns-value]
    assert engine.statistics().sessions[0].state is SessionState.SUSPENDED
    await engine.stop(drain_s=0)


class _Never:
    """A handler nobody asks."""

    async def handle(self, work: Work) -> Verdict:
        """Fail."""
        raise AssertionError(work)

    def crashed(self, work: Work, error: Exception) -> Done:
        """Fail."""
        raise AssertionError(work) from error


@pytest.mark.parametrize("name", ["assignment", "pause", "resume", "seek", "highwater"])
def test_the_consumer_can_still_be_driven_without_waiting(name: str) -> None:
    """The intake calls these from inside a rebalance."""
    assert not inspect.iscoroutinefunction(getattr(AIOKafkaConsumer, name))


async def test_a_member_that_lost_its_place_does_not_join_again() -> None:
    """The cancellation is what ends aiokafka's coordination; an exception it would swallow."""
    log = MemoryLog()
    engine = Engine(MemoryIntake(log), lambda p: MemoryWriter(log, p), _Never())
    listener = EngineListener(lambda: engine, lambda: True)
    listener.on_partitions_assigned({TopicPartition(TOPIC, 0)})
    with pytest.raises(asyncio.CancelledError):
        listener.on_partitions_revoked({TopicPartition(TOPIC, 0)})
    assert engine.statistics().sessions[0].state is SessionState.SUSPENDED
    await engine.stop(drain_s=0)


def test_the_coordinator_still_tells_who_we_are() -> None:
    """Static membership reads its member id and asks it to join again."""
    source = inspect.getsource(GroupCoordinator)
    assert "self.member_id = JoinGroupRequest.UNKNOWN_MEMBER_ID" in source
    assert not JoinGroupRequest.UNKNOWN_MEMBER_ID
    assert not inspect.iscoroutinefunction(GroupCoordinator.request_rejoin)
