"""Compares what was read with what the log has: its beginning, its end, and our position.

When the log has lost what we stand at, the client moves to its beginning by itself and in
silence. What lies between was lost, and this is how the engine hears of it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from jiraiya_events.engine.records import Partition
from jiraiya_events.engine.session import SessionState
from jiraiya_events.engine.statistics import SessionStatistics

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
    ) -> None:
        self._sessions = sessions
        self._begins_at = begins_at
        self._halt = halt
        self._beyond: dict[Partition, int] = {}
        self.unread: Mapping[Partition, Unread] = {}

    async def look(self, consumer: AIOKafkaConsumer) -> None:
        """Ask once; bound it with a time-out. Raises aiokafka's `KafkaError`."""
        expected = {
            TopicPartition(*s.partition): s.next_expected
            for s in self._sessions()
            if s.state is SessionState.RUNNING and s.next_expected is not None
        }
        watched = [where for where in expected if where in consumer.assignment()]
        if not watched:
            self.unread, self._beyond = {}, {}
            return
        first = await consumer.beginning_offsets(watched)
        end = await consumer.end_offsets(watched)
        for where in watched:
            self._begins_at(Partition(*where), first[where])
        self._find_beyond({Partition(*w): (expected[w], end[w]) for w in watched})
        self.unread = {
            Partition(*where): Unread(await consumer.position(where), end[where], where in paused)
            for paused in (consumer.paused(),)
            for where in watched
            if where in consumer.assignment()
        }

    def _find_beyond(self, seen: Mapping[Partition, tuple[int, int]]) -> None:
        """Halt what stands beyond the end in two looks: one may have been overtaken."""
        beyond = {p: position for p, (position, end) in seen.items() if position > end}
        for partition, position in beyond.items():
            if self._beyond.get(partition) == position:
                self._halt(partition, BEYOND.format(position=position, end=seen[partition][1]))
        self._beyond = beyond
