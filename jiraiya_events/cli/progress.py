"""Progress while things download or start: a bar on a terminal, lines elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

Tell = Callable[[str, int, int], None]
"""Told a phase in words, what is done, and the total (bytes, or 0 and 1 of 1)."""

_MEGABYTE = 1_000_000


@contextmanager
def starting(console: Console) -> Iterator[Tell]:
    """Show the phases that the callback is told of, each on a line of its own."""
    if not console.is_terminal:
        yield _Lines(console).tell
        return
    columns = (
        SpinnerColumn(finished_text="[green]✓[/]"),
        TextColumn("{task.description}"),
        BarColumn(bar_width=28),
        TextColumn("[dim]{task.fields[amount]}[/]"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        yield _Bars(progress).tell


class _Bars:
    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def tell(self, phase: str, done: int, total: int) -> None:
        if phase not in self._tasks:
            self._tasks[phase] = self._progress.add_task(phase, amount="")
        # A phase without steps moves to and fro until it is over.
        known = None if total == 1 and done == 0 else total
        self._progress.update(
            self._tasks[phase], completed=done, total=known, amount=_amount(done, total)
        )


class _Lines:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._said: set[tuple[str, bool]] = set()

    def tell(self, phase: str, done: int, total: int) -> None:
        over = done >= total
        if (phase, over) not in self._said:
            self._said.add((phase, over))
            self._console.print(f"{phase} {'… done' if over else '…'}", markup=False)


def _amount(done: int, total: int) -> str:
    if total <= 1:
        return ""
    return f"{done / _MEGABYTE:.0f} of {total / _MEGABYTE:.0f} MB"
