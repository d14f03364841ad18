"""What the watch over the logs tells the engine: where they begin, and what lies beyond them."""

from collections.abc import Iterable
from dataclasses import replace

from aiokafka import TopicPartition

from jiraiya_events.adapters.kafka.log_watch import LogWatch, Unread
from jiraiya_events.engine.records import Partition
from jiraiya_events.engine.session import SessionState
from jiraiya_events.engine.statistics import SessionStatistics
from tests.unit.bootstrap.test_watchdog import IDLE_SESSION

HERE = IDLE_SESSION.partition
WHERE = TopicPartition(*HERE)


class Log:
    """One partition's log, and a consumer of it that stands somewhere."""

    def __init__(self) -> None:
        self.first, self.end, self.at = 0, 10, 10
        self.assigned: set[TopicPartition] = {WHERE}
        self.stopped: set[TopicPartition] = set()
        self.session: SessionStatistics = replace(IDLE_SESSION, next_expected=10)
        self.beginnings: list[tuple[Partition, int]] = []
        self.halts: list[str] = []
        self.watch = LogWatch(
            lambda: [self.session],
            lambda partition, first: self.beginnings.append((partition, first)),
            lambda _, reason: self.halts.append(reason),
        )

    def assignment(self) -> set[TopicPartition]:
        """As aiokafka's."""
        return self.assigned

    def paused(self) -> set[TopicPartition]:
        """As aiokafka's."""
        return self.stopped

    async def beginning_offsets(self, where: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """As aiokafka's."""
        return dict.fromkeys(where, self.first)

    async def end_offsets(self, where: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """As aiokafka's."""
        return dict.fromkeys(where, self.end)

    async def position(self, _: TopicPartition) -> int:
        """As aiokafka's."""
        return self.at

    async def look(self) -> None:
        """Have the watch look."""
        await self.watch.look(self)


async def test_the_engine_hears_where_its_logs_begin() -> None:
    """And the watchdog what is unread."""
    log = Log()
    log.first, log.end, log.at, log.stopped = 4, 12, 11, {WHERE}
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
        log.session = session
        await log.look()
    log.session, log.assigned = IDLE_SESSION, set()
    await log.look()
    assert (log.beginnings, log.watch.unread) == ([], {})


async def test_what_lies_beyond_the_end_in_two_looks_is_halted() -> None:
    """With both offsets, and what to do."""
    log = Log()
    log.session = replace(IDLE_SESSION, next_expected=7000)
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
        log.session = replace(IDLE_SESSION, next_expected=position)
        await log.look()
    assert log.halts == []
