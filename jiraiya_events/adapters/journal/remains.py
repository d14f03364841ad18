"""The journals of processes that are gone: judged once, kept for a day, or until explained."""

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from jiraiya_events.adapters.embedded.exclusive import try_exclusive
from jiraiya_events.adapters.journal import layout
from jiraiya_events.adapters.journal.deaths import Death
from jiraiya_events.adapters.journal.layout import End
from jiraiya_events.adapters.journal.machine import Machine, how_it_ended

KEPT_S: Final = 24 * 3600.0
KEPT_AT_MOST: Final = 32
NOTE_CHARACTERS: Final = 4_000


def read_remains(folder: Path, now: Machine) -> tuple[list[Death], list[Death]]:
    """Return every death that is remembered, and those of them that nobody had seen before.

    Call it with the folder's lock held. Raises OSError.
    """
    deaths: list[Death] = []
    news: list[Death] = []
    for path in _newest_first(folder):
        with try_exclusive(path) as gone:
            if not gone:
                continue
            death, new = _examine(path, now)
        if death is not None and new:
            news.append(death)
        if death is None or not death.running or len(deaths) >= KEPT_AT_MOST:
            forget(folder, path.stem)
        else:
            deaths.append(death)
    return deaths, news


def forget(folder: Path, name: str) -> None:
    """Remove what a process has left."""
    for suffix in (".journal", ".crash"):
        (folder / name).with_suffix(suffix).unlink(missing_ok=True)


def _newest_first(folder: Path) -> Iterator[Path]:
    aged: list[tuple[float, Path]] = []
    for path in folder.glob("*.journal"):
        with suppress(FileNotFoundError):  # its owner has just ended in good order
            aged.append((path.stat().st_mtime, path))
    return (path for _, path in sorted(aged, reverse=True))


def _examine(path: Path, now: Machine) -> tuple[Death | None, bool]:
    """Return a death and whether it is news; None when it says nothing against anybody."""
    try:
        notes = layout.read(path.read_bytes())
    except ValueError:
        return None, False
    old = time.time() - path.stat().st_mtime > KEPT_S
    if notes.end is End.CLEAN or old:
        return None, False
    note = _note(path.with_suffix(".crash"))
    if notes.end is not End.UNKNOWN:
        return Death(path.stem, notes.end, notes.running, note), False
    end = how_it_ended(Machine(notes.boot, notes.ooms), now, noted=bool(note))
    _write_end(path, end)
    return Death(path.stem, end, notes.running, note), True


def _note(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")[:NOTE_CHARACTERS]
    except OSError:
        return ""


def _write_end(path: Path, end: End) -> None:
    at, what = layout.with_end(end)
    with path.open("r+b") as file:
        file.seek(at)
        file.write(what)
