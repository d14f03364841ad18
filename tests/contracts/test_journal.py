"""What every journal promises the engine, checked in memory and in files."""

import asyncio
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from jiraiya_events.adapters.journal import Death, FileJournal, file_journal
from jiraiya_events.adapters.journal.layout import End
from jiraiya_events.adapters.journal.machine import Machine
from jiraiya_events.adapters.journal.remains import KEPT_AT_MOST, KEPT_S
from jiraiya_events.adapters.memory.journal import MemoryJournal
from jiraiya_events.engine.journal import Journal, Standing
from jiraiya_events.engine.records import Record


class Place(Protocol):
    """Where processes leave their journals."""

    async def process(self) -> Journal:
        """Return the journal of a process that starts now."""
        ...

    def end(self, journal: Journal, end: End) -> None:
        """End the process that keeps this journal."""
        ...


class MemoryPlace:
    """A list."""

    def __init__(self) -> None:
        self._deaths: list[Death] = []

    async def process(self) -> MemoryJournal:
        """Return a new one."""
        return MemoryJournal(self._deaths)

    def end(self, journal: Journal, end: End) -> None:
        """Let it die, or not."""
        assert isinstance(journal, MemoryJournal)
        if end is not End.CLEAN:
            journal.die(end)


class FilePlace:
    """A folder; a crash leaves a note, a kill nothing, as on Linux."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._open: list[FileJournal] = []

    async def process(self, *, slots: int = 8, scope: str = "group") -> FileJournal:
        """Return a new one."""
        journal = FileJournal(self.folder, scope=scope, slots=slots)
        await journal.open()
        self._open.append(journal)
        return journal

    def end(self, journal: Journal, end: End) -> None:
        """Let go of its file as the kernel does."""
        assert isinstance(journal, FileJournal)
        self._open.remove(journal)
        if end is End.CLEAN:
            journal.close()
            return
        if end is End.CRASHED:
            journal.crash_note.write_text("Fatal Python error: Aborted\n")
        assert journal._map is not None
        journal._map.close()
        journal._held.close()

    def close(self) -> None:
        """End what still runs."""
        for journal in self._open:
            journal.close()


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FilePlace]:
    """Return a folder for journals, on a Linux that has killed nothing for want of memory."""
    monkeypatch.setattr(file_journal, "this_machine", lambda: Machine("boot", 0))
    place = FilePlace(tmp_path / "journals")
    yield place
    place.close()


@pytest.fixture(params=["memory", "file"])
def place(request: pytest.FixtureRequest, files: FilePlace) -> Place:
    """Return a place of either kind."""
    return MemoryPlace() if request.param == "memory" else files


def record(offset: int, *, timestamp_ms: int = 1_700_000_000_000) -> Record:
    """Return a record of one partition."""
    return Record("in", 0, offset, timestamp_ms, b"k", b"v")


LETHAL, OTHER, THIRD = record(0), record(1), record(2)


async def died(place: Place, *running: Record, end: End = End.CRASHED, times: int = 1) -> None:
    """Let processes end while they work on these."""
    for _ in range(times):
        journal = await place.process()
        for one in running:
            journal.began(one)
        place.end(journal, end)


async def standing(place: Place, of: Record) -> Standing:
    """Return what a process that starts now thinks of a record."""
    journal = await place.process()
    found = journal.standing(of)
    assert journal.wary >= (found is not Standing.CLEAR)
    place.end(journal, End.CLEAN)
    return found


async def test_two_crashes_make_a_suspect_of_those_in_flight_at_both(place: Place) -> None:
    """Of nobody else."""
    await died(place, LETHAL, OTHER)
    assert await standing(place, LETHAL) is Standing.CLEAR
    await died(place, LETHAL, THIRD)
    assert await standing(place, LETHAL) is Standing.SUSPECT
    assert await standing(place, OTHER) is Standing.CLEAR
    assert await standing(place, THIRD) is Standing.CLEAR


async def test_three_crashes_convict_the_one_that_was_alone(place: Place) -> None:
    """However many others were there before."""
    await died(place, LETHAL, OTHER, times=5)
    await died(place, LETHAL, times=2)
    assert await standing(place, LETHAL) is Standing.SUSPECT
    await died(place, LETHAL)
    assert await standing(place, LETHAL) is Standing.CONVICTED
    assert await standing(place, OTHER) is Standing.SUSPECT
    await died(place, LETHAL)
    assert await standing(place, LETHAL) is Standing.UNREADABLE


async def test_a_record_that_had_ended_was_not_in_flight(place: Place) -> None:
    """Its note is taken away; what remains may be alone."""
    for _ in range(3):
        journal = await place.process()
        note = journal.began(OTHER)
        journal.began(LETHAL)
        journal.ended(note)
        place.end(journal, End.CRASHED)
    assert await standing(place, OTHER) is Standing.CLEAR
    assert await standing(place, LETHAL) is Standing.CONVICTED


async def test_kills_from_outside_weigh_a_third(place: Place) -> None:
    """An innocent bears five of them without notice, alone or not."""
    await died(place, OTHER, end=End.KILLED, times=5)
    assert await standing(place, OTHER) is Standing.CLEAR
    await died(place, OTHER, end=End.KILLED)
    assert await standing(place, OTHER) is Standing.SUSPECT
    await died(place, OTHER, end=End.KILLED, times=3)
    assert await standing(place, OTHER) is Standing.CONVICTED


async def test_an_end_that_was_asked_for_says_nothing(place: Place) -> None:
    """Even if something was in flight still."""
    await died(place, LETHAL, end=End.CLEAN, times=9)
    assert await standing(place, LETHAL) is Standing.CLEAR


async def test_a_committed_suspect_is_forgotten(place: Place) -> None:
    """It has proved itself; nothing is to be wary of any more."""
    await died(place, LETHAL, times=2)
    journal = await place.process()
    journal.committed([OTHER, LETHAL])
    assert journal.standing(LETHAL) is Standing.CLEAR
    assert not journal.wary
    place.end(journal, End.CLEAN)


async def test_a_committed_convict_explains_every_death_it_was_at(place: Place) -> None:
    """For this process and for those after it; a death without it still counts."""
    await died(place, LETHAL, OTHER, times=2)
    await died(place, LETHAL, times=3)
    await died(place, OTHER)
    journal = await place.process()
    assert journal.standing(OTHER) is Standing.SUSPECT
    journal.committed([LETHAL])
    assert journal.standing(OTHER) is Standing.CLEAR
    assert not journal.wary
    place.end(journal, End.CLEAN)
    assert await standing(place, LETHAL) is Standing.CLEAR
    await died(place, OTHER)
    assert await standing(place, OTHER) is Standing.SUSPECT


async def test_another_record_at_the_same_offset_is_another_record(place: Place) -> None:
    """A topic may be deleted and made anew."""
    await died(place, record(0, timestamp_ms=1), times=2)
    assert await standing(place, record(0, timestamp_ms=2)) is Standing.CLEAR


# In files only.


async def test_a_living_process_is_not_mistaken_for_a_dead_one(files: FilePlace) -> None:
    """Replicas may share a folder; a process id would not tell."""
    for _ in range(9):
        alive = await files.process()
        alive.began(LETHAL)
    assert await standing(files, LETHAL) is Standing.CLEAR


async def test_a_death_is_news_once(files: FilePlace) -> None:
    """And says what the process wrote while it crashed."""
    await died(files, LETHAL, OTHER)
    journal = FileJournal(files.folder, scope="group", slots=1)
    (death,) = await journal.open()
    journal.close()
    assert (death.end, len(death.running)) == (End.CRASHED, 2)
    assert "Aborted" in death.note
    again = FileJournal(files.folder, scope="group", slots=1)
    assert await again.open() == []
    again.close()


async def test_other_groups_records_are_other_records(files: FilePlace) -> None:
    """Though their topic's name and their offset are the same."""
    await died(files, LETHAL, times=2)
    other = await files.process(scope="another group")
    assert other.standing(LETHAL) is Standing.CLEAR


async def test_more_records_than_slots_are_worked_on_without_notes(files: FilePlace) -> None:
    """And the slots come back."""
    journal = await files.process(slots=2)
    notes = [journal.began(record(n)) for n in range(3)]
    assert notes[2] == -1
    for note in notes:
        journal.ended(note)
    assert {journal.began(record(n)) for n in range(2)} == set(notes[:2])


async def test_before_opening_and_after_closing_it_keeps_nothing(tmp_path: Path) -> None:
    """A folder that cannot be written to stops no record."""
    journal = FileJournal(tmp_path / "journals", scope="group", slots=2)
    assert journal.began(LETHAL) == -1
    journal.ended(-1)
    await journal.open()
    note = journal.began(LETHAL)
    journal.close()
    journal.ended(note)
    journal.close()
    assert journal.began(LETHAL) == -1
    assert [path.name for path in (tmp_path / "journals").iterdir()] == ["lock"]


async def test_what_is_no_journal_is_swept_away(files: FilePlace) -> None:
    """A file cut short, one of another version."""
    files.folder.mkdir()
    (files.folder / "short.journal").write_bytes(b"jiraiya1")
    (files.folder / "long.journal").write_bytes(b"jiraiya9" + bytes(200))
    await standing(files, LETHAL)
    assert not list(files.folder.glob("*.journal"))


async def test_the_folder_does_not_grow_without_end(files: FilePlace) -> None:
    """The latest deaths are kept."""
    await died(files, OTHER, times=KEPT_AT_MOST + 3)
    assert await standing(files, OTHER) is Standing.UNREADABLE
    assert len(list(files.folder.glob("*.journal"))) == KEPT_AT_MOST


def age(folder: Path) -> None:
    """Let two days pass for every journal."""
    for path in folder.glob("*.journal"):
        os.utime(path, (0.0, path.stat().st_mtime - 2 * KEPT_S))


async def test_a_day_later_nobody_remembers(files: FilePlace) -> None:
    """Deaths that far apart have not one cause."""
    await died(files, LETHAL, times=2)
    assert await standing(files, LETHAL) is Standing.SUSPECT
    age(files.folder)
    assert await standing(files, LETHAL) is Standing.CLEAR
    assert not list(files.folder.glob("*.journal"))


async def test_a_death_is_as_old_as_its_discovery(files: FilePlace) -> None:
    """Some file systems do not note the time at which a mapped file changed."""
    await died(files, LETHAL)
    await died(files, LETHAL)
    age(files.folder)  # the first death was seen by the second process, the other by nobody
    await died(files, LETHAL)
    age(files.folder)
    await died(files, LETHAL)
    journal = FileJournal(files.folder, scope="group", slots=1)
    news = await journal.open()
    journal.close()
    assert len(news) == 1
    assert len(list(files.folder.glob("*.journal"))) == 2


async def test_a_failed_opening_leaves_nothing_behind(
    files: FilePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next process would take it for one that was killed."""

    def refuse(_fd: int, _length: int) -> None:
        raise OSError(errno.ENODEV, "no mapped files here")

    monkeypatch.setattr(file_journal, "mmap", refuse)
    journal = FileJournal(files.folder, scope="group", slots=1)
    with pytest.raises(OSError, match="no mapped files here"):
        await journal.open()
    assert [path.name for path in files.folder.iterdir()] == ["lock"]
    monkeypatch.undo()
    again = FileJournal(files.folder, scope="group", slots=1)
    assert await again.open() == []
    again.close()


async def test_a_file_system_without_locks_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who took it for a held lock would wait for ever."""

    def refuse(_file: object, _operation: int) -> None:
        raise OSError(errno.ENOTSUP, "no locks here")

    monkeypatch.setattr("fcntl.flock", refuse)
    journal = FileJournal(tmp_path, scope="group", slots=1)
    async with asyncio.timeout(5.0):
        with pytest.raises(OSError, match="no locks here"):
            await journal.open()
