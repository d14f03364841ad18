"""Records of the output topics, as JSON rows and as lines for people."""

import base64
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.markup import escape

from jiraiya_events.cli.output import json_in, name_in, text_in
from jiraiya_events.cli.printable import printable
from jiraiya_events.client import Received, read_outcome
from jiraiya_events.contract.event_types import EventType
from jiraiya_events.contract.rfc3339 import moment_of
from jiraiya_events.domain.outcome import StoryFailed, StoryGenerated
from jiraiya_events.domain.signals import StoryProgress

_PREVIEW = 60


def record_row(record: Received) -> dict[str, Any]:
    """Return the record as one JSON object; a value that is no JSON comes as `value_base64`."""
    row: dict[str, Any] = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "timestamp": _moment(record).isoformat(),
        "key": None if record.key is None else text_in(record.key),
        "headers": {name_in(name): value for name, value in record.headers.items()},
    }
    try:
        return {**row, "value": json_in(record.value or b"")}
    except (ValueError, RecursionError):
        value = None if record.value is None else base64.b64encode(record.value).decode()
        return {**row, "value_base64": value}


def print_record(console: Console, record: Received) -> None:
    """Print a line or two about the record."""
    when = _moment(record).astimezone().strftime("%H:%M:%S")
    console.print(f"[dim]{when} {_safe(_place(record))}[/]  {_said(record)}", soft_wrap=True)


def _said(record: Received) -> str:
    if "x-dlq-error-code" in record.headers:
        return _dead_letter(record)
    outcome = read_outcome(record)
    if isinstance(outcome, StoryGenerated):
        story = outcome.story
        about = f"{story.word_count} words for {outcome.user_id}, {outcome.request_id}"
        return f"[green]✓[/] [bold]{_safe(story.title)}[/]  [dim]{_safe(about)}[/]"
    if isinstance(outcome, StoryFailed):
        error = outcome.error
        kept = " [magenta](dead letter)[/]" if outcome.dead_lettered else ""
        about = f"{_safe(error.message)}  [dim]{_safe(str(outcome.request_id))}[/]"
        return f"[red]✗ {error.code}[/]{kept} {about}"
    if record.type == EventType.PROGRESS.value and (piece := _piece(record)) is not None:
        return _progress(piece)
    text = (record.value or b"").decode("utf-8", "replace")
    return _safe(text if len(text) <= _PREVIEW else text[:_PREVIEW] + "…")


def _piece(record: Received) -> StoryProgress | None:
    try:
        return StoryProgress.model_validate_json(record.value or b"")
    except ValueError:
        return None


def _progress(piece: StoryProgress) -> str:
    end = " [green](the end)[/]" if piece.final else ""
    return f"{_safe(piece.delta)}{end}  [dim]{_safe(piece.request_id)}, {piece.sequence}[/]"


def _dead_letter(record: Received) -> str:
    headers = record.headers
    origin = "/".join(headers.get(f"x-dlq-{n}", "?") for n in ("topic", "partition", "offset"))
    message = headers.get("x-dlq-error-message", "")
    code = _safe(headers["x-dlq-error-code"])
    return f"[magenta]✝ {code}[/] {_safe(message)}  [dim]{_safe(origin)}[/]"


def _safe(text: str) -> str:
    """Return text from a topic, as it may stand in a line for people."""
    return escape(printable(text))


def _place(record: Received) -> str:
    return f"{record.topic}/{record.partition}/{record.offset}"


def _moment(record: Received) -> datetime:
    return moment_of(record.timestamp_ms / 1000)
