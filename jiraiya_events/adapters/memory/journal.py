"""Journals of processes that share a memory instead of a folder."""

from collections.abc import Iterable

from jiraiya_events.adapters.journal.deaths import Death, Suspicions
from jiraiya_events.adapters.journal.layout import End
from jiraiya_events.engine.journal import Journal, Standing
from jiraiya_events.engine.records import Record


class MemoryJournal(Journal):
    """One process's notes; what `die` leaves in `deaths` is read by those who start later."""

    def __init__(self, deaths: list[Death]) -> None:
        self._deaths = deaths
        self._running: dict[int, bytes] = {}
        self._notes = 0
        self._suspicions = Suspicions(deaths)
        self.wary = bool(self._suspicions)

    def die(self, end: End = End.CRASHED) -> None:
        """End without having been asked to."""
        self._deaths.append(Death("", end, tuple(self._running.values())))

    def standing(self, record: Record) -> Standing:
        """Return how this record stood at earlier deaths."""
        return self._suspicions.of(_position(record))

    def began(self, record: Record) -> int:
        """Note that a handler works on the record."""
        self._notes += 1
        self._running[self._notes] = _position(record)
        return self._notes

    def ended(self, note: int) -> None:
        """Take a note away."""
        self._running.pop(note, None)

    def committed(self, records: Iterable[Record]) -> None:
        """Forget these."""
        for record in records:
            self._suspicions.lift(_position(record))
        self.wary = bool(self._suspicions)


def _position(record: Record) -> bytes:
    return f"{record.topic}/{record.partition}/{record.offset}/{record.timestamp_ms}".encode()
