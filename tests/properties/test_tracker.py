"""The offset tracker against a list of offsets with states."""

from enum import Enum

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from jiraiya_events.engine.offset_map import Progress, decode, encode
from jiraiya_events.engine.tracker import OffsetTracker


class Fate(Enum):
    """What has become of a record."""

    UNREAD = "unread"
    READ = "read"
    DONE = "done"


class TrackerMachine(RuleBasedStateMachine):
    """One partition whose owner reads, commits and crashes; commits may go unheard."""

    def __init__(self) -> None:
        super().__init__()
        self.fates: dict[int, Fate] = {}
        self.log_end = 0
        self.committed = Progress(0)
        self.tracker = OffsetTracker(self.committed)
        self.read_to = 0

    @rule(gap=st.integers(0, 3))
    def append(self, gap: int) -> None:
        """A record appears, perhaps behind transaction markers."""
        self.fates[self.log_end + gap] = Fate.UNREAD
        self.log_end += gap + 1

    @rule()
    def read(self) -> None:
        """Deliver the next record; it needs work exactly when no commit has finished it."""
        offset = next((o for o in sorted(self.fates) if o >= self.tracker.next_expected), None)
        if offset is None:
            return
        assert self.tracker.vanished(offset) == []
        assert (self.tracker.accept(offset) is not None) is (self.fates[offset] is Fate.UNREAD)
        if self.fates[offset] is Fate.UNREAD:
            self.fates[offset] = Fate.READ

    @rule()
    def read_again(self) -> None:
        """A record from before is not taken twice."""
        for offset in self.fates:
            if offset < self.tracker.next_expected:
                assert self.tracker.accept(offset) is None

    @precondition(lambda self: Fate.READ in self.fates.values())
    @rule(choice=st.randoms(use_true_random=False), heard=st.booleans())
    def commit(self, choice: object, heard: bool) -> None:  # noqa: FBT001 - hypothesis draws it
        """Finish some of what was read; when the answer is lost, ask the log."""
        read = [o for o, fate in self.fates.items() if fate is Fate.READ]
        batch = {o for o in read if choice.random() < 0.5}  # type: ignore[attr-defined]
        self.committed = decode(encode(self.tracker.progress_with(batch))[0])
        for offset in batch:
            self.fates[offset] = Fate.DONE
        if heard:
            self.tracker.settle(batch)
        else:
            assert self.tracker.restore(self.committed) == batch

    @rule()
    def crash(self) -> None:
        """A new owner starts from what is committed and reads the rest again."""
        self.tracker = OffsetTracker(self.committed)
        for offset, fate in self.fates.items():
            if fate is Fate.READ:
                self.fates[offset] = Fate.UNREAD

    @invariant()
    def nothing_unfinished_is_forgotten(self) -> None:
        """The frontier never passes a record that is not done."""
        undone = [o for o, fate in self.fates.items() if fate is not Fate.DONE]
        assert self.tracker.frontier <= min(undone, default=self.log_end)
        read = [o for o, fate in self.fates.items() if fate is Fate.READ]
        assert all(self.tracker.is_outstanding(o) for o in read)
        assert self.tracker.accepted == len(read) <= self.tracker.outstanding


TestTracker = pytest.mark.timeout(120)(TrackerMachine.TestCase)
TestTracker.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)


def test_retention_takes_unread_records_out_of_the_map() -> None:
    """A waiting record that the log has lost is reported once and holds nothing back."""
    tracker = OffsetTracker(Progress(10, {3: 1, 5: 0, 8: 2}))
    assert (tracker.outstanding, tracker.accepted, tracker.frontier) == (3, 0, 3)
    assert tracker.vanished(8) == [3, 5]
    assert tracker.vanished(8) == []
    assert tracker.accept(8) == 2
    assert (tracker.frontier, tracker.tries(8)) == (8, 2)


def test_tries_travel_with_the_progress() -> None:
    """The next owner counts on; tries of what is no longer outstanding are dropped."""
    tracker = OffsetTracker(Progress(0))
    tracker.accept(0)
    tracker.accept(1)
    tracker.set_tries(1, 2)
    tracker.set_tries(9, 5)
    assert tracker.progress_with({0}) == Progress(2, {1: 2})


def test_control_records_at_the_end_are_stepped_over() -> None:
    """The position moves the frontier on, never back."""
    tracker = OffsetTracker(Progress(4))
    tracker.advance(9)
    tracker.advance(6)
    assert (tracker.frontier, tracker.next_expected) == (9, 9)


def test_what_another_owner_finished_is_reported_once() -> None:
    """A partition that comes back brings the news of what became of its records."""
    tracker = OffsetTracker(Progress(0))
    for offset in range(4):
        tracker.accept(offset)
    assert tracker.restore(Progress(6, {1: 1, 5: 3})) == {0, 2, 3}
    assert tracker.next_expected == 4
    assert tracker.accept(4) is None
    assert tracker.accept(5) == 3
