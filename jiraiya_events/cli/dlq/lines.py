"""Dead letters as JSON rows, and as a line each for people."""

from typing import Any, Final

import typer
from rich.cells import cell_len, set_cell_size

from jiraiya_events.cli.output import text_in
from jiraiya_events.cli.printable import printable
from jiraiya_events.contract.letters import DeadLetter
from jiraiya_events.contract.marks import Mark
from jiraiya_events.contract.replays import original_envelope
from jiraiya_events.contract.rfc3339 import format_rfc3339
from jiraiya_events.ops.dead_letters.survey import Found

CODE_WIDTH: Final = 21
_KEY_WIDTH: Final = 16
_MESSAGE_CHARACTERS: Final = 100


def cut(text: str, width: int) -> str:
    """Return `text` in at most `width` columns of a terminal, with a … where there was more."""
    if cell_len(text) <= width:
        return text
    return "" if width < 1 else set_cell_size(text, width - 1) + "…"


def found_row(found: Found) -> dict[str, Any]:
    """Return a dead letter as one JSON object, without headers and body."""
    letter, origin = found.letter, found.letter.origin
    envelope = None if origin is None else original_envelope(letter, origin)
    return {
        "reference": letter.reference,
        "request": None if origin is None else str(origin),
        "request_id": None if envelope is None else envelope.identity.id,
        "correlation_id": None if envelope is None else envelope.correlation_id,
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


def heading() -> str:
    """Return the line above the lines."""
    names = (
        f"{'REF':>9}  {'FAILED UTC':11}  {'CODE':{CODE_WIDTH}}  #  {'KEY':{_KEY_WIDTH}}  MESSAGE"
    )
    return typer.style(names, bold=True)


def line_of(found: Found, width: int | None) -> str:
    """Return a line of at most `width` columns, None where nobody's terminal is to be fitted.

    Plain formatting: rich would take longer to lay it out than Kafka to deliver it.
    """
    letter = found.letter
    place = f"{letter.reference:>9}  {minute(letter.failed_at)}  "
    code = _column(letter.code, CODE_WIDTH)
    about = f"  {letter.replays + 1}  {_column(key_text(letter) or '-', _KEY_WIDTH)}  "
    state = _state(found)
    room = _MESSAGE_CHARACTERS
    if width is not None:
        room = width - cell_len(place + code + about + state)
    message = cut(printable(letter.message[: max(room, 0) + 1]), room)
    line = place + typer.style(code, fg=typer.colors.RED) + about + message
    if found.mark is not None:
        return line + typer.style(state, fg=typer.colors.GREEN)
    return line + typer.style(state, dim=True) if state else line


def minute(at: float) -> str:
    """Return month to minute, in UTC: a terminal of 80 columns has room for no more."""
    return format_rfc3339(at)[5:16].replace("T", " ")


def key_text(letter: DeadLetter) -> str | None:
    """Return the key as text."""
    return None if letter.key is None else text_in(letter.key)


def _state(found: Found) -> str:
    if found.mark is not None:
        return f"  {found.mark.action}"
    return "" if found.stays is None else f"  ({found.stays})"


def _column(text: str, width: int) -> str:
    # A key may be a megabyte: what cannot be shown is not looked at.
    return set_cell_size(cut(printable(text[: width + 1]), width), width)
