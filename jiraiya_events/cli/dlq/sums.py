"""The summary of dead letters by code, as JSON rows and as a table for people."""

from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from jiraiya_events.cli.dlq.lines import CODE_WIDTH, cut, minute
from jiraiya_events.cli.printable import printable
from jiraiya_events.contract.rfc3339 import format_rfc3339
from jiraiya_events.ops.dead_letters.staying import WORDS
from jiraiya_events.ops.dead_letters.summary import Line, Summary


def summary_rows(summary: Summary) -> Iterable[dict[str, Any]]:
    """Return one JSON object for each code."""
    for line in summary.lines:
        yield {
            "code": line.code,
            "letters": line.letters,
            "replayable": line.replayable,
            "handled": line.handled,
            "stays": {reason.value: count for reason, count in sorted(line.stays.items())},
            "oldest": format_rfc3339(line.oldest),
            "newest": format_rfc3339(line.newest),
        }


def print_summary(summary: Summary, console: Console) -> None:
    """Print a table by code, and below it why some stay."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("CODE", no_wrap=True)
    for column in ("LETTERS", "REPLAY", "STAY", "DONE"):
        table.add_column(column, justify="right", no_wrap=True)
    for column in ("OLDEST", "NEWEST"):
        table.add_column(column, no_wrap=True)
    for line in summary.lines:
        table.add_row(*(Text(cell) for cell in _cells(line)))
    console.print(table)
    for reason, count in summary.stays.most_common():
        console.print(f"{count:,} stay: {WORDS[reason]}", style="yellow", markup=False)


def _cells(line: Line) -> tuple[str, ...]:
    counts = (line.letters, line.replayable, line.stays.total(), line.handled)
    code = cut(printable(line.code), CODE_WIDTH)
    return (code, *(f"{count:,}" for count in counts), minute(line.oldest), minute(line.newest))
