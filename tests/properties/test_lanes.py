"""Key lanes against queues one can see through."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from jiraiya_events.engine.lanes import Lane, Lanes, LaneState
from jiraiya_events.engine.records import Record
from jiraiya_events.engine.verdicts import Work

KEYS = st.sampled_from([None, b"", b"a", b"b"])


class LanesMachine(RuleBasedStateMachine):
    """Records come, start, wait, finish and are dropped."""

    def __init__(self) -> None:
        super().__init__()
        self.lanes = Lanes()
        self.next = 0
        self.waiting: dict[object, list[int]] = {}
        self.running: list[Lane] = []
        self.held: list[Lane] = []

    @rule(key=KEYS)
    def add(self, key: bytes | None) -> None:
        """A record of one of a few keys is read."""
        record = Record("t", 0, self.next, 0, key, None)
        self.waiting.setdefault(self.next if key is None else key, []).append(self.next)
        self.next += 1
        self.lanes.add(Work(record, 0.0))

    @rule()
    def start(self) -> None:
        """The oldest of a key goes in flight, and no other of that key is."""
        if self.lanes.has_ready:
            lane = self.lanes.start_next()
            assert lane not in self.running
            assert lane.head.record.offset == self.waiting[lane.key][0]
            self.running.append(lane)

    @rule(hold=st.booleans())
    def end(self, hold: bool) -> None:  # noqa: FBT001 - hypothesis draws it
        """The record that has run longest is finished, or waits for another try."""
        if self.running:
            lane = self.running.pop(0)
            if hold:
                self.lanes.hold(lane)
                self.held.append(lane)
            else:
                self.waiting[lane.key].pop(0)
                self.lanes.finish(lane)

    @rule()
    def release(self) -> None:
        """A retry's time has come."""
        if self.held:
            self.lanes.release(self.held.pop(0))

    @rule(chosen=st.sets(st.integers(0, 30)))
    def drop(self, chosen: set[int]) -> None:
        """Somebody else has finished some; what is in flight stays."""
        for lane in self.held:
            self.lanes.release(lane)
        self.held.clear()
        busy = {lane.head.record.offset for lane in self.running}
        queued = {offset for offsets in self.waiting.values() for offset in offsets}
        gone = {work.record.offset for work in self.lanes.drop(chosen)}
        assert gone == (chosen & queued) - busy
        self.waiting = {
            key: [o for o in offsets if o not in gone] for key, offsets in self.waiting.items()
        }

    @invariant()
    def nothing_is_lost(self) -> None:
        """The lanes hold exactly the waiting records, each key's in order."""
        there = {lane.key: [w.record.offset for w in lane.queue] for lane in self.lanes}
        assert there == {key: offsets for key, offsets in self.waiting.items() if offsets}
        assert len(self.lanes) == len(there)
        ready = [lane for lane in self.lanes if lane.state is LaneState.READY]
        assert self.lanes.has_ready is bool(ready)
        assert len(self.lanes._ready) == len(ready)


TestLanes = LanesMachine.TestCase
TestLanes.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)


def test_what_is_dropped_is_looked_at_once_each() -> None:
    """A busy key has a thousand; to compare each with each would stall the loop."""
    compared = 0

    class Compared(Work):
        def __eq__(self, other: object) -> bool:
            nonlocal compared
            compared += 1
            return self is other

        __hash__ = None  # type: ignore[assignment]  # as that of `Work`

    lanes = Lanes()
    for offset in range(100):
        lanes.add(Compared(Record("t", 0, offset, 0, b"busy", None), 0.0))
    assert len(lanes.drop(set(range(100)))) == 100
    assert len(lanes) == compared == 0
    assert not lanes.has_ready
