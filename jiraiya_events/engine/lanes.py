"""Key lanes: records of one key go one after the other, lanes go side by side.

Pure: no clock, no task. A lane is in exactly one place at any time — in `ready` (waiting for a
slot), in flight, or held (waiting for a retry or parked) — and moves on only from its head.
"""

from collections import deque
from collections.abc import Iterator
from enum import Enum

from jiraiya_events.engine.records import Record
from jiraiya_events.engine.verdicts import Work


class LaneState(Enum):
    """What the head of a lane is doing."""

    READY = "ready"
    IN_FLIGHT = "in_flight"
    HELD = "held"


class Lane:
    """The accepted records of one key, oldest first; never empty while it is in `Lanes`."""

    __slots__ = ("key", "queue", "state", "wakes_before", "woken")

    def __init__(self, key: object) -> None:
        self.key = key
        self.queue: deque[Work] = deque()
        self.state = LaneState.READY
        self.woken = False
        """Its head is to have another turn at once, should this one end in waiting."""
        self.wakes_before = 0
        """How many wakes the parking lot had seen when the turn of its head began."""

    @property
    def head(self) -> Work:
        """Return the record whose turn it is."""
        return self.queue[0]


class Lanes:
    """All lanes of one partition."""

    def __init__(self) -> None:
        self._lanes: dict[object, Lane] = {}
        self._ready: deque[Lane] = deque()

    def __iter__(self) -> Iterator[Lane]:
        """Iterate over the lanes in no promised order."""
        return iter(self._lanes.values())

    def __len__(self) -> int:
        """Return how many lanes have a record."""
        return len(self._lanes)

    @property
    def has_ready(self) -> bool:
        """Tell whether a lane waits for a slot."""
        return bool(self._ready)

    @property
    def first_ready(self) -> Work:
        """Return the record that `start_next` would start."""
        return self._ready[0].head

    def add(self, work: Work) -> None:
        """Queue a record behind the earlier ones of its key; null keys go on their own."""
        lane_key = _lane_key(work.record)
        lane = self._lanes.get(lane_key)
        if lane is None:
            lane = self._lanes[lane_key] = Lane(lane_key)
            self._ready.append(lane)
        lane.queue.append(work)

    def headed_by(self, record: Record) -> Lane | None:
        """Return the lane whose head is this record."""
        lane = self._lanes.get(_lane_key(record))
        return lane if lane is not None and lane.head.record.offset == record.offset else None

    def start_next(self) -> Lane:
        """Take the lane that has been ready longest; its head is now in flight."""
        lane = self._ready.popleft()
        lane.state = LaneState.IN_FLIGHT
        lane.woken = False
        return lane

    def hold(self, lane: Lane) -> None:
        """Keep an in-flight lane back until `release`."""
        lane.state = LaneState.HELD

    def release(self, lane: Lane) -> None:
        """Let a held or interrupted lane wait for a slot again, behind those already waiting."""
        lane.state = LaneState.READY
        self._ready.append(lane)

    def finish(self, lane: Lane) -> None:
        """Drop the head of an in-flight lane; its next record waits for a slot of its own."""
        lane.queue.popleft()
        if lane.queue:
            self.release(lane)
        else:
            del self._lanes[lane.key]

    def drop(self, offsets: set[int]) -> list[Work]:
        """Forget queued records that somebody else has finished; return them.

        The head of a lane in flight stays: its handler still runs, and `Session` refuses
        what it returns. Lanes left empty disappear.
        """
        dropped: list[Work] = []
        for lane in list(self._lanes.values()):
            dropped += _drop_from(lane, offsets)
            if not lane.queue:
                del self._lanes[lane.key]
        if dropped:
            self._ready = deque(lane for lane in self._ready if lane.queue)
        return dropped


def _drop_from(lane: Lane, offsets: set[int]) -> list[Work]:
    running = lane.head if lane.state is LaneState.IN_FLIGHT else None
    kept: deque[Work] = deque()
    gone: list[Work] = []
    for work in lane.queue:
        if work is not running and work.record.offset in offsets:
            gone.append(work)
        else:
            kept.append(work)
    lane.queue = kept
    return gone


def _lane_key(record: Record) -> object:
    return record.key if record.key is not None else record.offset
