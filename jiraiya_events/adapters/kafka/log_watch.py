"""Compares what was read with what the log has: its beginning, its end, and our position.

When the log has lost what we stand at, the client moves to its beginning by itself and in
silence. What lies between was lost, and this is how the engine hears of it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from jiraiya_events.engine.records import Partition
from jiraiya_events.engine.session_state import SessionState
from jiraiya_events.engine.statistics import SessionStatistics

NO_LEADER: Final = -1
BEYOND: Final = (
    "we have read up to offset {position}, and the log ends at {end}: it was cut off, or the "
    "group's offset was set beyond its end; stop all replicas, set the group's offset of this "
    "partition back (kafka-consumer-groups --reset-offsets), start them again"
)


@dataclass(frozen=True, slots=True)
class Unread:
    """Where the reader stands in a partition, and where its last stable offset is."""

    position: int
    end: int
    paused: bool


class LogWatch:
    """Looks at the logs of running sessions; `unread` is what it saw last."""

    def __init__(
        self,
        sessions: Callable[[], Iterable[SessionStatistics]],
        begins_at: Callable[[Partition, int], None],
        halt: Callable[[Partition, str], None],
        is_paused: Callable[[Partition], bool],
    ) -> None:
        self._sessions = sessions
        self._begins_at = begins_at
        self._halt = halt
        self._is_paused = is_paused
        self._beyond: dict[Partition, int] = {}
        self.unread: Mapping[Partition, Unread] = {}

    async def look(self, consumer: AIOKafkaConsumer) -> None:
        """Ask once; bound it with a time-out. Raises aiokafka's `KafkaError`.

        What could not be seen is not known any more. It hides nothing else: each leader is asked
        for itself, and a partition without one not at all, since that question waits.
        """
        expected = {
            TopicPartition(*s.partition): s.next_expected
            for s in self._sessions()
            if s.state is SessionState.RUNNING and s.next_expected is not None
        }
        seen = _Seen()
        groups = _by_leader(consumer, expected)
        try:
            await _all(self._ask(consumer, group, expected, seen) for group in groups)
        finally:
            self.unread = seen.unread
            self._find_beyond(seen.ends)

    async def _ask(
        self,
        consumer: AIOKafkaConsumer,
        group: Sequence[TopicPartition],
        expected: Mapping[TopicPartition, int],
        seen: "_Seen",
    ) -> None:
        first = await consumer.beginning_offsets(group)
        end = await consumer.end_offsets(group)
        for where in group:
            self._begins_at(Partition(*where), first[where])
            seen.ends[Partition(*where)] = expected[where], end[where]
        await _all(self._stand(consumer, where, end[where], seen) for where in group)

    async def _stand(
        self, consumer: AIOKafkaConsumer, where: TopicPartition, end: int, seen: "_Seen"
    ) -> None:
        if where in consumer.assignment():
            here = Partition(*where)
            position = await consumer.position(where)
            seen.unread[here] = Unread(position, end, self._is_paused(here))

    def _find_beyond(self, seen: Mapping[Partition, tuple[int, int]]) -> None:
        """Halt what stands beyond the end in two looks: one may have been overtaken."""
        beyond = {p: position for p, (position, end) in seen.items() if position > end}
        for partition, position in beyond.items():
            if self._beyond.get(partition) == position:
                self._halt(partition, BEYOND.format(position=position, end=seen[partition][1]))
        self._beyond = beyond


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one look has found so far; `ends` are pairs of our position and the log's end."""

    unread: dict[Partition, Unread] = field(default_factory=dict)
    ends: dict[Partition, tuple[int, int]] = field(default_factory=dict)


def _by_leader(
    consumer: AIOKafkaConsumer, wanted: Iterable[TopicPartition]
) -> Iterable[Sequence[TopicPartition]]:
    """Return what is assigned in groups that one broker answers for."""
    groups: dict[int, list[TopicPartition]] = {}
    cluster = consumer._client.cluster  # noqa: SLF001 - known from the metadata already
    for where in consumer.assignment().intersection(wanted):
        leader = cluster.leader_for_partition(where)
        if leader is not None and leader != NO_LEADER:
            groups.setdefault(leader, []).append(where)
    return groups.values()


async def _all(acts: Iterable[Awaitable[None]]) -> None:
    """Let all come to their end, then raise the first error."""
    for error in await asyncio.gather(*acts, return_exceptions=True):
        if error is not None:
            raise error
