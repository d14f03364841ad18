"""One dead letter, whole: as a JSON object and as a page for people."""

import base64
import json
from typing import Any, Final

from rich.console import Console

from jiraiya_events.cli.dlq.lines import found_row, key_text
from jiraiya_events.cli.output import json_in, name_in, text_in
from jiraiya_events.cli.printable import printable, printable_body
from jiraiya_events.contract.dead_letters import PREFIX
from jiraiya_events.contract.rfc3339 import format_rfc3339
from jiraiya_events.ops.dead_letters.advice import advice_for
from jiraiya_events.ops.dead_letters.staying import WORDS
from jiraiya_events.ops.dead_letters.survey import Found

_BODY_CHARACTERS: Final = 16_384
_HEX_BYTES: Final = 256
_HEADER_CHARACTERS: Final = 300


def page_row(found: Found) -> dict[str, Any]:
    """Return everything; headers as pairs, since names may repeat.

    A value that is no JSON, an empty one too, comes as `value_base64`.
    """
    value = found.letter.value
    row = {
        **found_row(found),
        "next": next_step(found),
        "headers": [
            [name_in(name), None if text is None else text_in(text)]
            for name, text in found.letter.headers
        ],
    }
    if value is None:
        return {**row, "value": None}
    try:
        return {**row, "value": json_in(value)}
    except (ValueError, RecursionError):
        return {**row, "value_base64": base64.b64encode(value).decode()}


def print_page(console: Console, found: Found) -> None:
    """Print reason, next step, headers and body; nothing in them can steer the terminal."""
    letter, row = found.letter, found_row(found)
    facts = {
        "why": letter.message or "(it does not say)",
        "next": next_step(found),
        "failed": row["failed_at"],
        "request": row["request"] or "(it does not say)",
        "id": row["request_id"] or "-",
        "correlation": row["correlation_id"] or "-",
        "user": row["user_id"] or "-",
        "key": _cut(key_text(letter) or "(none)", _HEADER_CHARACTERS),
        "attempt": f"{row['attempt']}, {letter.tries} model calls in it",
    }
    if found.mark is not None:
        facts["handled"] = f"{found.mark.action} at {format_rfc3339(found.mark.at)}"
    console.print(f"[bold]{letter.reference}[/]  ", end="")
    console.print(printable(letter.code), style="red", markup=False)
    for name, text in facts.items():
        _print(console, f"  {name:11} {printable(text)}")
    console.print("headers", style="bold")
    for name, value in letter.headers:
        if not name.lower().startswith(PREFIX):
            text = "(null)" if value is None else text_in(value)
            shown = printable(_cut(text, _HEADER_CHARACTERS))
            _print(console, f"  {printable(name_in(name))}: {shown}")
    _print_body(console, letter.value)


def next_step(found: Found) -> str:
    """Return what the operator does about it."""
    if found.mark is not None:
        return "nothing: it is done"
    if found.stays is not None:
        return WORDS[found.stays]
    return advice_for(found.letter.code)


def _print_body(console: Console, value: bytes | None) -> None:
    if value is None:
        console.print("no body (null)", style="bold")
        return
    console.print(f"body, {len(value):,} bytes", style="bold")
    _print(console, printable_body(_cut(pretty(value), _BODY_CHARACTERS)))


def pretty(value: bytes) -> str:
    """Return JSON indented, other text as it is, and bytes that are no text in hex."""
    try:
        return json.dumps(json.loads(value), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        pass
    try:
        return value.decode()
    except UnicodeDecodeError:
        shown = value[:_HEX_BYTES].hex(" ")
        left = len(value) - _HEX_BYTES
        return shown if left <= 0 else f"{shown} … and {left:,} bytes more; --json has them"


def _cut(text: str, limit: int) -> str:
    left = len(text) - limit
    return text if left <= 0 else f"{text[:limit]} … and {left:,} characters more; --json has them"


def _print(console: Console, text: str) -> None:
    console.print(text, markup=False, soft_wrap=True)
