"""Reading out of the broker's log why it died, for one line that helps."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jiraiya_events.adapters.embedded.errors import EmbeddedKafkaError

if TYPE_CHECKING:
    from pathlib import Path

_TAIL = 64 << 10
_LINES = 3
_WORTH_READING = re.compile("ERROR|FATAL|Error|Exception")
_STACK = re.compile(r"^\s+at |^\s*\.\.\. \d+ more")
_STAMP = re.compile(r"^\d{4}-\d\d-\d\dT[\d:,.]+ +\w+ +\S+ +")
_LONGEST_LINE = 300


def explain_death(code: int, log: Path, offset: int) -> EmbeddedKafkaError:
    """Make the error for a broker that exited with ``code`` before it was ready.

    ``offset`` is the length the log had before this start, in bytes.
    """
    text = _read_tail(log, offset)
    if "Failed to acquire lock" in text:
        return EmbeddedKafkaError(
            f"Another broker already uses {log.parent}: stop it, or choose another data folder."
        )
    if "Could not reserve enough space" in text or "OutOfMemoryError" in text:
        return EmbeddedKafkaError(
            "The embedded Kafka ran out of memory: free some, or give it more with heap_mb "
            f"(its log: {log})."
        )
    said = " | ".join(last_errors(text)) or "it said nothing"
    return EmbeddedKafkaError(
        f"The embedded Kafka ended while starting (exit code {code}): {said}. "
        f"The whole log is in {log}."
    )


def could_not_bind(log: Path, offset: int) -> bool:
    """Whether a start failed for want of a port."""
    text = _read_tail(log, offset)
    return "java.net.BindException" in text or "Address already in use" in text


def last_errors(text: str) -> list[str]:
    """Take the last lines that speak of an error, else the last lines there are."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not _STACK.match(line)]
    speaking = [line for line in lines if _WORTH_READING.search(line)] or lines
    return [_STAMP.sub("", line)[:_LONGEST_LINE] for line in speaking[-_LINES:]]


def _read_tail(log: Path, offset: int) -> str:
    try:
        with log.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(offset if offset <= size else 0, size - _TAIL))
            return file.read().decode(errors="replace")
    except OSError:
        return ""
