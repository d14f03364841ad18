"""What is finished and waits for a transaction, in the order in which it was finished."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

from jiraiya_events.engine.finished import Finished


class Uncommitted:
    """The finished records of one session; at `limit` nothing more is to be started."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._under_way = 0
        self._uncovered = 0
        self.items: list[Finished] = []
        self.tries_changed = False
        """Whether tries wait to be committed, which alone are worth a transaction too."""

    def __len__(self) -> int:
        """Return how many wait for a transaction or are in one.

        Not those the map had no room to speak of: they wait for the frontier.
        """
        return len(self.items) - self._uncovered

    @property
    def committable(self) -> int:
        """Return how many the next transaction can take up."""
        return len(self.items) - self._uncovered - self._under_way

    @property
    def is_full(self) -> bool:
        """Tell whether so much waits that nothing more is to be started."""
        return self.committable >= self._limit

    @property
    def is_enough(self) -> bool:
        """Tell whether so much waits that a transaction need not wait for more."""
        return self.committable >= self._limit // 2

    @property
    def is_work(self) -> bool:
        """Tell whether there is something for a transaction."""
        return self.committable > 0 or self.tries_changed

    def add(self, item: Finished) -> None:
        """Take in what a record's last turn left."""
        self.items.append(item)

    def cover(self, covered: int) -> bool:
        """Count what lies beyond the map's end, at this offset; tell whether anything does."""
        self._uncovered = sum(item.record.offset >= covered for item in self.items)
        return self._uncovered > 0

    @contextmanager
    def taken_up(self, batch: Sequence[Finished]) -> Iterator[None]:
        """Count these, and all tries, as in the transaction under way; it is over at the end."""
        self.tries_changed = False
        self._under_way = len(batch)
        try:
            yield
        finally:
            self._under_way = 0

    def settle(self, offsets: Collection[int]) -> list[Finished]:
        """Take away and return what of these is here: it is committed, by us or by another."""
        gone = [item for item in self.items if item.record.offset in offsets]
        self.items = [item for item in self.items if item.record.offset not in offsets]
        self._uncovered = 0  # the frontier may have moved: the next map will tell
        return gone

    def clear(self) -> None:
        """Forget everything."""
        self.items = []
        self._uncovered = 0
