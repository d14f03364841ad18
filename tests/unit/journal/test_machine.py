"""How a process ended: told by itself, by the kernel's count, or by neither."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from jiraiya_events.adapters.journal import FileJournal
from jiraiya_events.adapters.journal.deaths import Death
from jiraiya_events.adapters.journal.layout import End
from jiraiya_events.adapters.journal.machine import Machine, how_it_ended, this_machine
from jiraiya_events.adapters.journal.remains import read_remains

ROOT = Path(__file__).parents[3]
BEFORE = Machine("boot-1", 4)
DYING = """
import asyncio, ctypes, os, signal, sys
from pathlib import Path
from jiraiya_events.adapters.journal import FileJournal
from jiraiya_events.adapters.journal.machine import note_crashes
from jiraiya_events.engine.records import Record
from tests.chaos.programs.fragile import fill_the_stack

async def main() -> None:
    journal = FileJournal(Path(sys.argv[1]), scope="group", slots=4)
    await journal.open()
    note_crashes(journal.crash_note)
    journal.began(Record("in", 0, 7, 1, b"k", b"v"))
    {
        "abort": os.abort,
        "segfault": lambda: ctypes.string_at(0),
        "stack": fill_the_stack,
        "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
        "asked": lambda: (journal.stopping(), os._exit(1)),
    }[sys.argv[2]]()

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("now", "noted", "end"),
    [
        (Machine("boot-1", 4), False, End.KILLED),
        (Machine("boot-1", 4), True, End.CRASHED),
        (Machine("boot-1", 5), False, End.CRASHED),
        (Machine("boot-2", 0), False, End.KILLED),
        (Machine("boot-2", 9), False, End.KILLED),
        (Machine("boot-2", 0), True, End.CRASHED),
        (Machine("", None), False, End.CRASHED),
    ],
)
def test_only_an_end_without_note_or_count_looks_like_a_kill(
    now: Machine, end: End, *, noted: bool
) -> None:
    assert how_it_ended(BEFORE, now, noted=noted) is end


def test_a_machine_that_counts_nothing_says_so(tmp_path: Path) -> None:
    """No /proc at all, or one without the counter."""
    assert this_machine(tmp_path) == Machine("", None)
    (tmp_path / "vmstat").write_text("nr_free_pages 1\n")
    assert this_machine(tmp_path).ooms is None


def test_a_machine_is_known_by_its_boot_and_its_count(tmp_path: Path) -> None:
    (tmp_path / "sys/kernel/random").mkdir(parents=True)
    (tmp_path / "sys/kernel/random/boot_id").write_text("an-id\n")
    (tmp_path / "vmstat").write_text("nr_free_pages 1\noom_kill 3\n")
    assert this_machine(tmp_path) == Machine("an-id", 3)


def end_of(way: str, folder: Path) -> tuple[int, list[Death]]:
    """Let a process end in this way; return its exit code and what it left."""
    done = subprocess.run(
        [sys.executable, "-c", DYING, str(folder), way],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        stderr=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )
    return done.returncode, read_remains(folder, this_machine())[0]


@pytest.mark.parametrize(
    ("way", "number"),
    [("abort", signal.SIGABRT), ("segfault", signal.SIGSEGV), ("stack", signal.SIGSEGV)],
)
def test_a_crash_leaves_who_was_in_flight_and_why(way: str, number: int, tmp_path: Path) -> None:
    """Though nothing was flushed, and no code of ours ran at the end."""
    code, (death,) = end_of(way, tmp_path)
    assert code == -number
    assert death.end is End.CRASHED
    assert len(death.running) == 1
    assert death.note.startswith("Fatal Python error")


def test_a_kill_leaves_who_was_in_flight(tmp_path: Path) -> None:
    code, (death,) = end_of("kill", tmp_path)
    assert code == -signal.SIGKILL
    assert len(death.running) == 1
    assert not death.note


def test_an_end_in_the_midst_of_draining_blames_nobody(tmp_path: Path) -> None:
    """A second SIGTERM, or a supervisor that loses patience."""
    assert end_of("asked", tmp_path) == (1, [])
    assert not list(tmp_path.glob("*.*"))


def test_opening_waits_for_who_opens_at_the_same_time(tmp_path: Path) -> None:
    """Else one of them would take the other's new file for a dead one's."""

    async def all_at_once() -> bool:
        journals = [FileJournal(tmp_path, scope="group", slots=1) for _ in range(5)]
        await asyncio.gather(*(journal.open() for journal in journals))
        return journals[0].wary

    assert not asyncio.run(all_at_once())
    assert len(list(tmp_path.glob("*.journal"))) == 5
