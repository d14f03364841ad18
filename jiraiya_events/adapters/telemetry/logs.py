"""Logs: one pipeline for our own lines and the libraries', as JSON lines or for a console.

The context of a line (`correlation_id`, `request_id`, `topic`, `partition`, `offset`) comes from
`structlog.contextvars`; whoever handles a record binds it there.
"""

import logging
import sys
from collections.abc import Iterable, MutableMapping
from typing import Any, Final, Literal, TextIO

import structlog

from jiraiya_events.adapters.telemetry.exceptions import (
    describe_exception,
    without_what_asyncio_adds,
)
from jiraiya_events.adapters.telemetry.redaction import know_secrets, redact
from jiraiya_events.adapters.telemetry.repeats import Repeats

REPEAT_EVERY_S: Final = 10.0

# Their INFO is a line per request or per connection, and some of them quote bodies in DEBUG.
_QUIET: Final = (
    "aiohttp", "aiokafka", "asyncio", "faststream", "httpcore", "httpcore2", "httpx", "httpx2",
    "langchain", "langchain_core", "langchain_openai", "openai", "opentelemetry", "urllib3",
    "uvicorn",
)  # fmt: skip


def configure_logs(
    *,
    level: str,
    style: Literal["json", "console"],
    stream: TextIO | None = None,
    secrets: Iterable[str] = (),
) -> None:
    """Send every line of this process to `stream` (standard error) from `level` up.

    The `secrets` are masked wherever they stand in a line, whatever they look like.
    May be called again; the last call wins. Raises ValueError for an unknown level.
    """
    know_secrets(secrets)
    out = stream if stream is not None else sys.stderr
    handler = logging.StreamHandler(out)
    handler.setFormatter(_formatter(style, colours=out.isatty()))
    handler.addFilter(Repeats(REPEAT_EVERY_S))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    _adopt_libraries()
    set_level(level)
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def set_level(level: str) -> None:
    """Change the level of our own lines; libraries stay at WARNING or above it."""
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        msg = f"unknown log level {level!r}: one of DEBUG, INFO, WARNING, ERROR, CRITICAL"
        raise ValueError(msg)
    logging.getLogger().setLevel(number)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))
    # It warns of every retry, and a broker that still ends the last transaction asks for one
    # at nearly every first record of the next; what does not mend itself, we say ourselves.
    logging.getLogger("aiokafka").setLevel(max(number, logging.ERROR))
    # At every question after a topic that is missing or hidden, several a second.
    logging.getLogger("aiokafka.cluster").setLevel(logging.CRITICAL)


def _adopt_libraries() -> None:
    """Take the handlers off the libraries' loggers, so that their lines come our way."""
    for name in list(logging.root.manager.loggerDict):
        if name.split(".")[0] in _QUIET:
            library = logging.getLogger(name)
            library.handlers.clear()
            library.propagate = True


def _formatter(style: str, *, colours: bool) -> logging.Formatter:
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_repeats,
        without_what_asyncio_adds,
        describe_exception,
        redact,
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
    ]
    renderer: structlog.typing.Processor = structlog.processors.JSONRenderer()
    if style == "console":
        renderer = structlog.dev.ConsoleRenderer(colors=colours)
    return structlog.stdlib.ProcessorFormatter(processors=[*shared, renderer])


def _add_repeats(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    if repeated := getattr(event["_record"], "repeated", 0):
        event["repeated"] = repeated
    return event
