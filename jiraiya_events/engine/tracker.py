"""Which offsets of a partition were read and not yet committed: pure, no clock, no I/O.

The frontier is the lowest outstanding offset, never "last + 1": transaction markers, aborted
records and retention leave gaps in a log.
"""

from collections import deque
from collections.abc import Collection, Sequence

from jiraiya_events.engine.offset_map import Progress

REMEMBERED_GAPS = 1_000
"""Transactions leave a gap each, so the last few seconds' gaps fit."""


class OffsetTracker:
    """The offsets of one partition; an offset is outstanding until its commit succeeded.

    `restore` may be called again on a tracker in use, when its partition was, or may have
    been, somebody else's meanwhile.
    """

    def __init__(self, progress: Progress) -> None:
        self._tries: dict[int, int] = {}
        self.unread: deque[int] = deque()
        """Outstanding offsets of a restored map that were not read yet, ascending."""
        self._gaps: deque[range] = deque(maxlen=REMEMBERED_GAPS)
        self._highest = self.next_expected = progress.frontier
        self.restore(progress)

    @property
    def outstanding(self) -> int:
        """Return how many offsets are outstanding, the unread ones of a restored map included."""
        return len(self._tries)

    @property
    def accepted(self) -> int:
        """Return how many outstanding offsets were read: what counts for the limits.

        Were unread ones counted too, a restored map as long as the limit would keep the intake
        paused for ever.
        """
        return len(self._tries) - len(self.unread)

    @property
    def frontier(self) -> int:
        """Return the lowest outstanding offset, else the next expected one."""
        return min(self._tries, default=self._highest)

    def restore(self, progress: Progress) -> set[int]:
        """Take over what is committed; return the outstanding offsets it says are finished.

        Tries that another owner has counted meanwhile count here too.
        """
        finished = {offset for offset in self._tries if progress.is_finished(offset)}
        for offset in finished:
            del self._tries[offset]
        self.next_expected = max(self.next_expected, progress.frontier)
        unread = [o for o in progress.outstanding if o >= self.next_expected]
        self.unread = deque(unread)
        self._tries.update(dict.fromkeys(unread, 0))
        for offset, tries in progress.outstanding.items():
            if tries > self._tries.get(offset, tries):
                self._tries[offset] = tries
        self._highest = max(self._highest, progress.highest, self.next_expected)
        return finished

    def accept(self, offset: int) -> int | None:
        """Take note of a record that was read; return the tries it has used up.

        None when it needs no work: it was read before, or the committed map calls it finished.
        """
        if offset < self.next_expected:
            return None
        if offset > self.next_expected:
            self._note_gap(offset)
        self.next_expected = offset + 1
        if offset >= self._highest:
            self._highest = offset + 1
            self._tries[offset] = 0
            return 0
        if self.unread and self.unread[0] == offset:
            self.unread.popleft()
            return self._tries[offset]
        return None

    def vanished(self, offset: int) -> list[int]:
        """Drop unread outstanding offsets below `offset`, which the log has lost; return them."""
        lost = []
        while self.unread and self.unread[0] < offset:
            lost.append(self.unread.popleft())
            del self._tries[lost[-1]]
        return lost

    def begins_at(self, first: int) -> list[Sequence[int]]:
        """Pass over what the log has lost below `first`; return what of it was never done.

        Offsets that were passed over since the last call count too: the reader may have jumped
        before anybody could ask where the log begins. Control records among them count as well,
        so the ranges say how much was lost at most.
        """
        lost: list[Sequence[int]] = [
            self.vanished(first),
            *(range(gap.start, min(gap.stop, first)) for gap in self._gaps),
            range(max(self.next_expected, self._highest), first),
        ]
        self.advance(first)
        self._gaps.clear()
        return [offsets for offsets in lost if offsets]

    def _note_gap(self, offset: int) -> None:
        """Remember what is passed over on the way to `offset`, known maps aside."""
        gap = range(max(self.next_expected, self._highest), offset)
        if gap:
            self._gaps.append(gap)

    def is_outstanding(self, offset: int) -> bool:
        """Tell whether the record at `offset` still waits for its commit."""
        return offset in self._tries

    def tries(self, offset: int) -> int:
        """Return how many tries an outstanding record has used up."""
        return self._tries[offset]

    def set_tries(self, offset: int, tries: int) -> None:
        """Remember the tries of an outstanding record for its next owner."""
        if offset in self._tries:
            self._tries[offset] = tries

    def advance(self, position: int) -> None:
        """Note that the log has nothing to deliver below `position`."""
        self._note_gap(position)
        self.next_expected = max(self.next_expected, position)
        self._highest = max(self._highest, position)

    def progress_with(self, finished: Collection[int]) -> Progress:
        """Return the progress to commit together with the outputs of `finished`."""
        remaining = {o: self._tries[o] for o in sorted(self._tries) if o not in finished}
        return Progress(self._highest, remaining)

    def settle(self, finished: Collection[int]) -> None:
        """Forget offsets whose commit succeeded."""
        for offset in finished:
            self._tries.pop(offset, None)
