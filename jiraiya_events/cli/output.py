"""Two streams: what was asked for goes to stdout, everything else to stderr."""
# ruff: noqa: PLC0415 - rich is imported by the command that prints, never for `--help`

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rich.console import Console

Json = Annotated[
    bool, typer.Option("--json", help="One JSON object a line on stdout; all else on stderr.")
]
"""The `--json` of every listing."""


def out() -> Console:
    """Return the console for what was asked for; `:dragon:` stays what somebody wrote."""
    from rich.console import Console

    return Console(highlight=False, emoji=False)


def err() -> Console:
    """Return the console for everything else."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, emoji=False)


def emit(row: Mapping[str, Any]) -> None:
    """Write one JSON object on a line of its own, at once.

    Where the stream has no bytes for a character, such as half a surrogate pair from the JSON of
    a body, the object is written with escapes: the same JSON, and nothing is lost.
    """
    text = json.dumps(row, ensure_ascii=False, default=str)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(row, default=str)
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def json_in(value: bytes) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Return what a row can hold of a record's value; raises ValueError and RecursionError.

    Python would read, and write, `NaN` and numbers too large for it, which are no JSON.
    """
    document = json.loads(value)
    json.dumps(document, allow_nan=False)
    return document


def text_in(raw: bytes) -> str:
    r"""Return what a row can hold of a key or a header; a byte that is no UTF-8 is `\xff`."""
    return raw.decode("utf-8", "backslashreplace")


def name_in(name: str) -> str:
    """Return likewise the name of a header, where such a byte is a lone surrogate."""
    return text_in(name.encode("utf-8", "surrogateescape"))


def note(text: str) -> None:
    """Say something beside the point, on stderr."""
    sys.stderr.write(f"{text}\n")


def print_table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Print aligned columns; the last one wraps, nothing is cut."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    out().print(table)
