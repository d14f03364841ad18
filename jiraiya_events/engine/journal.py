"""What runs, noted so that a sudden end of the process does not erase it; and what came of it."""

from collections.abc import Iterable
from enum import Enum

from jiraiya_events.engine.records import Record


class Standing(Enum):
    """How a record stood when earlier processes died."""

    CLEAR = "clear"
    """Not there, or not often enough to mean something."""
    SUSPECT = "suspect"
    """In flight at several deaths: it runs alone from now on."""
    CONVICTED = "convicted"
    """Alone at several deaths: it does not run again, but is read once more to end it."""
    UNREADABLE = "unreadable"
    """Alone at one more, when it was only read: not even that is done again."""


class Journal:
    """The default keeps nothing, and so suspects nobody. Calls are frequent and must not raise."""

    wary = False
    """Whether any record is not `CLEAR`; asked before `standing`, since it hardly ever is."""

    def standing(self, record: Record) -> Standing:  # noqa: ARG002 - the port's
        """Return how this record stood at earlier deaths."""
        return Standing.CLEAR

    def began(self, record: Record) -> int:  # noqa: ARG002 - the port's
        """Note that a handler works on the record; return the note's number."""
        return -1

    def ended(self, note: int) -> None:
        """Take the note `began` has returned away."""

    def committed(self, records: Iterable[Record]) -> None:
        """Forget what is known of these: they never come again."""
