"""What the watch over the logs tells the engine: where they begin, and what lies beyond them."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from jiraiya_events.adapters.kafka.log_watch import LogWatch, Unread
from jiraiya_events.engine.records import Partition
from jiraiya_events.engine.session_state import SessionState
from jiraiya_events.engine.statistics import SessionStatistics
from tests.unit.bootstrap.test_watchdog import IDLE_SESSION

HERE = IDLE_SESSION.partition
WHERE = TopicPartition(*HERE)


class Log:
    """One partition's log, and a consumer of it that stands somewhere."""

    def __init__(self) -> None:
        self.first, self.end, self.at = 0, 10, 10
        self.assigned: set[TopicPartition] = {WHERE}
        self.stopped: set[Partition] = set()
        self.sessions: list[SessionStatistics] = [replace(IDLE_SESSION, next_expected=10)]
        self.leaders: dict[TopicPartition, int] = {WHERE: 1}
        self.failing: set[TopicPartition] = set()
        self.beginnings: list[tuple[Partition, int]] = []
        self.halts: list[str] = []
        self.watch = LogWatch(
            lambda: self.sessions,
            lambda partition, first: self.beginnings.append((partition, first)),
            lambda _, reason: self.halts.append(reason),
            lambda partition: partition in self.stopped,
        )

    def add(self, number: int, leader: int) -> TopicPartition:
        """Assign one more partition, which has the same log."""
        here = HERE._replace(partition=number)
        self.sessions.append(replace(IDLE_SESSION, partition=here, next_expected=10))
        where = TopicPartition(*here)
        self.assigned.add(where)
        self.leaders[where] = leader
        return where

    @property
    def _client(self) -> "Log":
        return self

    @property
    def cluster(self) -> "Log":
        """As aiokafka's."""
        return self

    def leader_for_partition(self, where: TopicPartition) -> int | None:
        """As aiokafka's."""
        return self.leaders.get(where)

    def assignment(self) -> set[TopicPartition]:
        """As aiokafka's."""
        return self.assigned

    async def beginning_offsets(self, where: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """As aiokafka's: one partition that cannot be asked fails all, one without leader waits."""
        where = list(where)
        if any(self.leaders.get(one, -1) == -1 for one in where):
            await asyncio.Event().wait()
        if self.failing.intersection(where):
            raise KafkaError
        return dict.fromkeys(where, self.first)

    async def end_offsets(self, where: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """As aiokafka's."""
        return dict.fromkeys(where, self.end)

    async def position(self, _: TopicPartition) -> int:
        """As aiokafka's."""
        return self.at

    async def look(self) -> None:
        """Have the watch look."""
        async with asyncio.timeout(5.0):
            await self.watch.look(self)


async def test_the_engine_hears_where_its_logs_begin() -> None:
    """And the watchdog what is unread."""
    log = Log()
    log.first, log.end, log.at, log.stopped = 4, 12, 11, {HERE}
    await log.look()
    assert log.beginnings == [(HERE, 4)]
    assert log.watch.unread == {HERE: Unread(position=11, end=12, paused=True)}
    assert log.halts == []


async def test_sessions_that_do_not_read_are_left_alone() -> None:
    """A rebalance is under way, or nothing is known yet."""
    log = Log()
    for session in (
        replace(IDLE_SESSION, state=SessionState.SUSPENDED),
        replace(IDLE_SESSION, next_expected=None),
    ):
        log.sessions = [session]
        await log.look()
    log.sessions, log.assigned = [IDLE_SESSION], set()
    await log.look()
    assert (log.beginnings, log.watch.unread) == ([], {})


async def test_what_lies_beyond_the_end_in_two_looks_is_halted() -> None:
    """With both offsets, and what to do."""
    log = Log()
    log.sessions = [replace(IDLE_SESSION, next_expected=7000)]
    await log.look()
    assert log.halts == []
    await log.look()
    (reason,) = log.halts
    assert "up to offset 7000, and the log ends at 10" in reason
    assert "kafka-consumer-groups --reset-offsets" in reason


async def test_an_end_that_was_overtaken_for_one_look_is_no_loss() -> None:
    """The position was another one before."""
    log = Log()
    for position in (11, 12, 13):
        log.sessions = [replace(IDLE_SESSION, next_expected=position)]
        await log.look()
    assert log.halts == []


async def test_what_a_look_could_not_see_is_not_known_any_more() -> None:
    """An old position and an old end would be taken for a reader that stands still."""
    log = Log()
    await log.look()
    assert log.watch.unread
    log.failing = {WHERE}
    with pytest.raises(KafkaError):
        await log.look()
    assert log.watch.unread == {}


@pytest.mark.parametrize("unasked", [-1, None])
async def test_a_partition_without_a_leader_hides_no_other(unasked: int | None) -> None:
    """Not where the others begin, and not that they end below us."""
    log = Log()
    headless = log.add(1, leader=2)
    if unasked is None:
        del log.leaders[headless]
    else:
        log.leaders[headless] = unasked
    log.end = 9
    await log.look()
    await log.look()
    assert log.beginnings == [(HERE, 0)] * 2
    assert set(log.watch.unread) == {HERE}
    assert len(log.halts) == 1


async def test_a_broker_that_fails_hides_no_other() -> None:
    """Each is asked for what it leads."""
    log = Log()
    log.failing = {log.add(1, leader=2)}
    log.add(2, leader=1)
    with pytest.raises(KafkaError):
        await log.look()
    assert set(log.watch.unread) == {HERE, HERE._replace(partition=2)}
