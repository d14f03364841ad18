"""Dead letters as JSON rows, as lines and tables for people."""

from collections.abc import Iterable
from typing import Any, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from jiraiya_events.contract.letters import DeadLetter
from jiraiya_events.contract.marks import Mark
from jiraiya_events.contract.replays import original_envelope
from jiraiya_events.contract.rfc3339 import format_rfc3339
from jiraiya_events.ops.dead_letters.staying import WORDS
from jiraiya_events.ops.dead_letters.summary import Line, Summary
from jiraiya_events.ops.dead_letters.survey import Found

_CODE_WIDTH: Final = 22
_MESSAGE_CHARACTERS: Final = 100
_DIRECTIONS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def printable(text: str) -> str:
    """Return `text` with what would steer a terminal made visible; line breaks stay."""
    return "".join(f"\\u{ord(one):04x}" if _steers(one) else one for one in text)


def _steers(one: str) -> bool:
    return (one < " " and one != "\n") or "\x7f" <= one <= "\x9f" or one in _DIRECTIONS


def found_row(found: Found) -> dict[str, Any]:
    """Return a dead letter as one JSON object, without headers and body."""
    letter, origin = found.letter, found.letter.origin
    envelope = None if origin is None else original_envelope(letter, origin)
    return {
        "reference": letter.reference,
        "request": None if origin is None else str(origin),
        "request_id": None if envelope is None else envelope.identity.id,
        "user_id": None if envelope is None else envelope.user_id,
        "key": key_text(letter),
        "code": letter.code,
        "message": letter.message,
        "tries": letter.tries,
        "attempt": letter.replays + 1,
        "failed_at": format_rfc3339(letter.failed_at),
        "bytes": None if letter.value is None else len(letter.value),
        "stays": found.stays,
        **mark_row(found.mark),
    }


def mark_row(mark: Mark | None) -> dict[str, Any]:
    """Return whether it was handled, and when."""
    if mark is None:
        return {"handled": None, "handled_at": None}
    return {"handled": mark.action, "handled_at": format_rfc3339(mark.at)}


def print_found(found: Found) -> None:
    """Print a line; rich would take longer to lay it out than Kafka to deliver it."""
    letter = found.letter
    code = typer.style(f"{printable(letter.code):{_CODE_WIDTH}}", fg=typer.colors.RED)
    key = printable(key_text(letter) or "-")
    message = printable(letter.message.replace("\n", " "))[:_MESSAGE_CHARACTERS]
    when = format_rfc3339(letter.failed_at)[:19].replace("T", " ")
    line = f"{letter.reference:>9}  {when}  {code}  {letter.replays + 1}  {key:16}  {message}"
    if found.mark is not None:
        line += typer.style(f"  {found.mark.action}", fg=typer.colors.GREEN)
    elif found.stays is not None:
        line += typer.style(f"  ({found.stays})", dim=True)
    typer.echo(line)


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
        table.add_row(*(Text(printable(cell)) for cell in _cells(line)))
    console.print(table)
    for reason, count in summary.stays.most_common():
        console.print(f"{count:,} stay: {WORDS[reason]}", style="yellow", markup=False)


def key_text(letter: DeadLetter) -> str | None:
    """Return the key as text."""
    return None if letter.key is None else letter.key.decode("utf-8", "backslashreplace")


def _cells(line: Line) -> tuple[str, ...]:
    counts = (line.letters, line.replayable, line.stays.total(), line.handled)
    # Month to minute, in UTC: everything fits a terminal of 80 columns.
    moments = (format_rfc3339(at)[5:16].replace("T", " ") for at in (line.oldest, line.newest))
    return (line.code, *(f"{count:,}" for count in counts), *moments)
