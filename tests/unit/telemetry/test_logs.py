"""Logs: one pipeline for everybody, and nothing in it that must not be read."""

import asyncio
import gc
import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from pydantic import BaseModel

from jiraiya_events.adapters.telemetry.logs import configure_logs, set_level
from jiraiya_events.adapters.telemetry.redaction import (
    LEFT_OUT,
    MASK,
    know_secrets,
    redact,
    redact_text,
)
from jiraiya_events.adapters.telemetry.repeats import MOST_REMEMBERED, Repeats
from jiraiya_events.domain.errors import ServiceError
from jiraiya_events.settings import load_settings, secret_values


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """A stream that gets the process's logs; afterwards all is as before."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    captured = io.StringIO()
    configure_logs(level="INFO", style="json", stream=captured)
    yield captured
    structlog.reset_defaults()
    know_secrets(())
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)


def _lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_our_lines_and_the_libraries_lines_look_alike(stream: io.StringIO) -> None:
    """Both are JSON with time, level, logger and the context of the record."""
    with structlog.contextvars.bound_contextvars(correlation_id="c-1", offset=7):
        structlog.get_logger("jiraiya").info("story committed", tries=1)
        logging.getLogger("aiohttp.client").warning("topic %s is gone", "t")
    ours, theirs = _lines(stream)
    assert ours["event"] == "story committed"
    assert theirs["event"] == "topic t is gone"
    for line in (ours, theirs):
        assert {"timestamp", "level", "logger"} <= line.keys()
        assert (line["correlation_id"], line["offset"]) == ("c-1", 7)


async def test_the_context_of_one_record_never_shows_in_another(stream: io.StringIO) -> None:
    """Two records handled side by side keep their own correlation ids."""

    async def handle(name: str) -> None:
        with structlog.contextvars.bound_contextvars(correlation_id=name):
            await asyncio.sleep(0)
            structlog.get_logger("jiraiya").info(name)

    await asyncio.gather(*(handle(f"c-{number}") for number in range(10)))
    assert all(line["event"] == line["correlation_id"] for line in _lines(stream))


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("api_key", "abc", MASK),
        ("SASL_PASSWORD", "abc", MASK),
        ("authorization", "x", MASK),
        ("key", b"user-1", MASK),
        ("input_tokens", 120, 120),
        ("keywords", ["fox"], LEFT_OUT),
        ("prompt", "write", LEFT_OUT),
        ("note", "used sk-abcdefgh12345678 for it", f"used {MASK} for it"),
        ("note", "Bearer abc.def-123456", MASK),
        ("note", "eyJhbGciOi.eyJzdWIiOi.c2lnbmF0", MASK),
        ("note", "gsk_abcdefgh1234 and AIzaSyABCDEFGH and xai-abcdefgh", " and ".join([MASK] * 3)),
        ("note", "at /v1?api_key=hunter2&x=1", f"at /v1?api_key={MASK}&x=1"),
        ("note", "sasl_plain_password=hunter2, tries=2", f"sasl_plain_password={MASK}, tries=2"),
        ("url", "rediss://user:pw@host:6379/0", f"rediss://{MASK}@host:6379/0"),
        ("nested", {"list": [{"token": "t"}], "count": 1}, {"list": [{"token": MASK}], "count": 1}),
        ("path", Path("a/b"), "a/b"),
        ("thing", object(), "<object>"),
        ("none", None, None),
    ],
)
def test_secrets_and_contents_are_never_shown(name: str, value: object, shown: object) -> None:
    """By name, by look, and however deep they are hidden; numbers are harmless."""
    assert redact(None, "info", {name: value}) == {name: shown}


def test_a_harmless_text_is_left_alone() -> None:
    """Words that only resemble a secret stay readable."""
    text = "task-based work, basic facts, risk-free"
    assert redact_text(text) == text


class Wish(BaseModel):
    """Something that quotes its input when it fails."""

    number: int


def test_an_exception_shows_its_kind_and_place_but_not_what_it_quotes(
    stream: io.StringIO,
) -> None:
    """A validation error would print the event's body; an error of ours keeps its message."""
    try:
        try:
            Wish.model_validate({"number": "the secret prompt"})
        except ValueError as error:
            msg = "cannot decode with sk-abcdefgh12345678"
            raise ServiceError(msg) from error
    except ServiceError:
        structlog.get_logger("jiraiya").exception("crashed")
    text = _lines(stream)[0]["exception"]
    assert "the secret prompt" not in text
    assert f"ServiceError: cannot decode with {MASK}" in text
    assert "caused by" in text
    assert "ValidationError" in text
    assert "test_logs.py:" in text


@pytest.mark.parametrize(
    ("error", "headline"),
    [
        (KeyError("secret wish"), "builtins.KeyError"),
        (ValueError("invalid literal for int(): 'secret wish'"), "builtins.ValueError"),
        (RuntimeError("wrapped: secret wish"), "builtins.RuntimeError"),
        (
            OSError(28, "No space left on device", "/secret wish"),
            "OSError: No space left on device",
        ),
        (OSError("secret wish"), "builtins.OSError"),
    ],
)
def test_python_s_own_errors_show_no_words(
    stream: io.StringIO, error: Exception, headline: str
) -> None:
    """They quote what they were given; a system's error keeps its reason."""
    structlog.get_logger("jiraiya").error("crashed", exc_info=error)
    (line,) = _lines(stream)
    assert line["exception"] == headline


async def test_a_task_nobody_waited_for_is_told_of_without_its_words(stream: io.StringIO) -> None:
    """What asyncio shows is the task, and with it what its error quotes."""

    async def fail() -> None:
        raise ValueError("secret wish")

    task = asyncio.create_task(fail())
    await asyncio.wait([task])
    del task
    gc.collect()
    (line,) = _lines(stream)
    assert line["event"] == "Task exception was never retrieved"
    assert line["exception"].startswith("builtins.ValueError\n  at fail (")
    assert "secret wish" not in stream.getvalue()


def test_a_known_secret_is_masked_whatever_it_looks_like(stream: io.StringIO) -> None:
    """The settings' own, in any text; short ones would mask half the words there are."""
    settings = load_settings(
        {
            "OPENAI_API_KEY": "plain-words",
            "JIRAIYA_STORE__URL": "redis://:pa%2Fssword@host:6379/0",
            "JIRAIYA_LLM__FALLBACK_MODELS": '[{"model": "m", "api_key": "another one"}, "x"]',
        },
        dotenv=None,
    )
    known = secret_values(settings)
    assert known == {"plain-words", "pa%2Fssword", "pa/ssword", "another one"}
    configure_logs(level="INFO", style="json", stream=stream, secrets={*known, "m"})
    structlog.get_logger("jiraiya").info("said", reason="pa/ssword, plain-words, another one; me")
    assert _lines(stream)[0]["reason"] == f"{MASK}, {MASK}, {MASK}; me"


def test_a_repeated_warning_is_one_line_until_the_time_is_over() -> None:
    """The line that passes next says how many were held back; other requests are not held."""
    now = [0.0]
    repeats = Repeats(10.0, lambda: now[0])

    def passes(message: object, level: int = logging.WARNING) -> logging.LogRecord | None:
        record = logging.LogRecord("kafka", level, "f", 1, message, (), None)
        return record if repeats.filter(record) else None

    assert passes("broker is away")
    assert not passes("broker is away")
    assert not passes("broker is away")
    assert passes("something else")
    assert passes({"event": "call failed", "request_id": "1"})
    assert passes({"event": "call failed", "request_id": "2"})
    assert not passes({"event": "call failed", "request_id": "2"})
    assert passes("hello", logging.INFO)
    assert passes("hello", logging.INFO)
    now[0] = 10.0
    again = passes("broker is away")
    assert again is not None
    assert getattr(again, "repeated", None) == 2


def test_libraries_are_quiet_below_warning(stream: io.StringIO) -> None:
    """A line per HTTP request helps nobody; their own handlers are taken off."""
    logging.getLogger("httpx").info("HTTP Request: POST ...")
    logging.getLogger("openai._base_client").debug("body")
    assert _lines(stream) == []


def test_the_level_can_be_changed_while_running(stream: io.StringIO) -> None:
    """DEBUG shows our details, still not the libraries'; an unknown level is refused."""
    set_level("debug")
    structlog.get_logger("jiraiya").debug("detail")
    logging.getLogger("httpx").debug("noise")
    assert [line["event"] for line in _lines(stream)] == ["detail"]
    with pytest.raises(ValueError, match="unknown log level"):
        set_level("LOUD")


def test_the_console_shows_the_same_facts(stream: io.StringIO) -> None:
    """For people: one readable line, redacted alike."""
    configure_logs(level="INFO", style="console", stream=stream)
    structlog.get_logger("jiraiya").info("ready", port=8080, api_key="abc")
    assert "ready" in stream.getvalue()
    assert "port=8080" in stream.getvalue()
    assert "abc" not in stream.getvalue()


def test_a_line_that_was_held_back_says_so_when_it_passes(
    stream: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The count reaches the written line."""
    now = [0.0]
    ours = [each for each in logging.getLogger().handlers if each.filters]
    (repeats,) = ours[0].filters
    monkeypatch.setattr(repeats, "_now", lambda: now[0])
    for second in (0.0, 1.0, 2.0, 11.0):
        now[0] = second
        structlog.get_logger("jiraiya").warning("broker is away")
    assert [line.get("repeated") for line in _lines(stream)] == [None, 2]


def test_remembering_repeats_is_bounded() -> None:
    """A flood of different warnings does not grow the memory."""
    repeats = Repeats(10.0, lambda: 0.0)
    for number in range(3 * MOST_REMEMBERED):
        repeats.filter(logging.LogRecord("x", logging.WARNING, "f", 1, str(number), (), None))
    assert len(repeats._seen) <= MOST_REMEMBERED


def test_exceptions_of_libraries_are_described_alike(stream: io.StringIO) -> None:
    """Kind and place for what quotes its input; nothing where there is no exception."""
    try:
        b"\xff".decode()
    except UnicodeError as error:
        logging.getLogger("aiokafka").exception("bad bytes", exc_info=error)
    structlog.get_logger("jiraiya").error("no error around", exc_info=True)
    first, second = _lines(stream)
    assert first["exception"].startswith("builtins.UnicodeDecodeError\n")
    assert "exception" not in second
