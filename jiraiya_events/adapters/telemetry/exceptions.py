"""An exception as a log line may show it: kinds, places, and messages that quote nobody."""

import sys
import traceback
from collections.abc import Iterator, MutableMapping
from typing import Any, Final

from jiraiya_events.adapters.telemetry.redaction import redact_text

LONGEST_MESSAGE: Final = 300
MOST_FRAMES: Final = 12
MOST_CAUSES: Final = 4

# Their messages quote what they were given: the body of an event, a prompt or an answer. So do
# Python's own: the key that is missing, the text that is no number. Of a system's error its reason
# is left.
_QUOTES_ITS_INPUT: Final = (
    "builtins", "pydantic", "openai", "langchain", "json", "jsonschema", "httpx"
)  # fmt: skip


def describe_exception(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Replace `exc_info` by a readable `exception`; a structlog processor."""
    error = _error_of(event.pop("exc_info", None))
    if error is not None:
        event["exception"] = "\n".join(_lines(error))
    return event


def _error_of(info: object) -> BaseException | None:
    if isinstance(info, BaseException):
        return info
    if isinstance(info, tuple):
        return info[1] if isinstance(info[1], BaseException) else None
    return sys.exc_info()[1] if info else None


def _lines(error: BaseException) -> Iterator[str]:
    for _ in range(MOST_CAUSES):
        yield _headline(error)
        for frame in traceback.extract_tb(error.__traceback__)[-MOST_FRAMES:]:
            yield f"  at {frame.name} ({frame.filename}:{frame.lineno})"
        hidden = None if error.__suppress_context__ else error.__context__
        cause = error.__cause__ or hidden
        if cause is None:
            return
        yield "caused by"
        error = cause


def without_what_asyncio_adds(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Keep the first line of asyncio's own: the others are tasks, with what their errors quote."""
    if event.get("logger") == "asyncio":
        event["event"] = str(event["event"]).partition("\n")[0]
    return event


def _headline(error: BaseException) -> str:
    kind = type(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{kind.__qualname__}: {redact_text(error.strerror)[:LONGEST_MESSAGE]}"
    if kind.__module__.split(".")[0].startswith(_QUOTES_ITS_INPUT):
        return f"{kind.__module__}.{kind.__qualname__}"
    return f"{kind.__qualname__}: {redact_text(str(error))[:LONGEST_MESSAGE]}"
