"""The journals of processes that are gone: judged once, kept for a day, or until explained."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from jiraiya_events.adapters.exclusive import try_exclusive
from jiraiya_events.adapters.journal import layout
from jiraiya_events.adapters.journal.deaths import Death
from jiraiya_events.adapters.journal.layout import End
from jiraiya_events.adapters.journal.machine import Machine, how_it_ended

KEPT_S: Final = 24 * 3600.0
KEPT_AT_MOST: Final = 32
NOTE_CHARACTERS: Final = 4_000


class _Remains(NamedTuple):
    """A death, when it was first seen (seconds since 1970), and whether that is now."""

    death: Death
    seen_s: float
    new: bool


def read_remains(folder: Path, now: Machine) -> tuple[list[Death], list[Death]]:
    """Return every death that is remembered, and those of them that nobody had seen before.

    Call it with the folder's lock held. Raises OSError.
    """
    found = sorted(_find(folder, now), key=lambda one: one.seen_s, reverse=True)
    telling = [one.death for one in found if one.death.running]
    deaths = telling[:KEPT_AT_MOST]
    kept = {death.name for death in deaths}
    for one in found:
        if one.death.name not in kept:
            forget(folder, one.death.name)
    return deaths, [one.death for one in found if one.new]


def forget(folder: Path, name: str) -> None:
    """Remove what a process has left."""
    for suffix in (".journal", ".crash"):
        (folder / name).with_suffix(suffix).unlink(missing_ok=True)


def _find(folder: Path, now: Machine) -> Iterator[_Remains]:
    for path in sorted(folder.glob("*.journal")):
        with try_exclusive(path) as gone:
            if not gone:
                continue
            remains = _examine(path, now)
        if remains is None:
            forget(folder, path.stem)
        else:
            yield remains


def _examine(path: Path, now: Machine) -> _Remains | None:
    """Return a death; None when it says nothing against anybody.

    Its age counts from when it was first seen, as how it ended was then *written*: what a process
    did to its mapped file need not show in the file's time.
    """
    try:
        notes = layout.read(path.read_bytes())
    except (ValueError, FileNotFoundError):  # none of ours; its owner has just ended in good order
        return None
    if notes.end is End.CLEAN:
        return None
    note = _note(path.with_suffix(".crash"))
    end: End = notes.end
    if new := end is End.UNKNOWN:
        end = how_it_ended(Machine(notes.boot, notes.ooms), now, noted=bool(note))
        _write_end(path, end)
    seen_s = path.stat().st_mtime
    if not new and time.time() - seen_s > KEPT_S:
        return None
    return _Remains(Death(path.stem, end, notes.running, note), seen_s, new)


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
