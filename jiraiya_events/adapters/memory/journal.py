"""Journals of processes that share a memory instead of a folder."""

from collections.abc import Iterable

from jiraiya_events.adapters.journal.deaths import Death, standings
from jiraiya_events.adapters.journal.layout import End
from jiraiya_events.engine.journal import Journal, Standing
from jiraiya_events.engine.records import Record


class MemoryJournal(Journal):
    """One process's notes; what `die` leaves in `deaths` is read by those who start later."""

    def __init__(self, deaths: list[Death]) -> None:
        self._deaths = deaths
        self._running: dict[int, bytes] = {}
        self._notes = 0
        self._read()

    def die(self, end: End = End.CRASHED) -> None:
        """End without having been asked to."""
        self._deaths.append(Death("", end, tuple(self._running.values())))

    def standing(self, record: Record) -> Standing:
        """Return how this record stood at earlier deaths."""
        return self._standings.get(_position(record), Standing.CLEAR)

    def began(self, record: Record) -> int:
        """Note that a handler works on the record."""
        self._notes += 1
        self._running[self._notes] = _position(record)
        return self._notes

    def ended(self, note: int) -> None:
        """Take a note away."""
        self._running.pop(note, None)

    def committed(self, records: Iterable[Record]) -> None:
        """Forget these; a convicted one explains every death it was in flight at."""
        for record in records:
            position = _position(record)
            standing = self._standings.pop(position, Standing.CLEAR)
            if standing in {Standing.CONVICTED, Standing.UNREADABLE}:
                self._deaths[:] = [d for d in self._deaths if position not in d.running]
                self._read()
        self.wary = bool(self._standings)

    def _read(self) -> None:
        self._standings = standings(self._deaths)
        self.wary = bool(self._standings)


def _position(record: Record) -> bytes:
    return f"{record.topic}/{record.partition}/{record.offset}/{record.timestamp_ms}".encode()
