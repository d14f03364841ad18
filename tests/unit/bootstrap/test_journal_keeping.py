"""What is told of the processes that died before this one."""

from contextlib import AsyncExitStack
from pathlib import Path

from structlog.testing import capture_logs

from jiraiya_events.adapters.journal import FileJournal
from jiraiya_events.bootstrap.journal_keeping import keep_journal
from jiraiya_events.engine.records import Record


def record(offset: int) -> Record:
    """Return one record of a partition."""
    return Record("t", 0, offset, timestamp_ms=0, key=None, value=b"")


async def die(folder: Path, *offsets: int) -> None:
    """Leave the journal of a process that ended while these were at work."""
    journal = FileJournal(folder, scope="s", slots=4)
    await journal.open()
    for offset in offsets:
        journal.began(record(offset))
    journal._held.close()


def bring_together(folder: Path) -> None:
    """Move the journals of the folders below into this one."""
    for path in list(folder.glob("*/*.journal")):
        path.rename(folder / path.name)


async def test_all_deaths_of_a_kind_are_one_line_and_counted(tmp_path: Path) -> None:
    """Two lines alike would be one to the filter of repetitions."""
    # A journal that is made reads those that are there: the two begin in folders of their own.
    await die(tmp_path / "one", 1, 2)
    await die(tmp_path / "two", 3)
    bring_together(tmp_path)
    counts: list[int] = []
    with capture_logs() as lines:
        async with AsyncExitStack() as until:
            journal = FileJournal(tmp_path, scope="s", slots=4)
            await keep_journal(journal, until, counts.append)
    assert sorted(counts) == [1, 2]
    (told,) = [line for line in lines if "was killed" in line["event"]]
    assert (told["processes"], told["in_flight"]) == (2, 3)
