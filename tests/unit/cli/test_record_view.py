"""How records look, as JSON rows and to people."""

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from jiraiya_events.cli.record_view import print_record, record_row
from jiraiya_events.client import Received
from jiraiya_events.contract.event_types import EventType
from jiraiya_events.contract.examples import EXAMPLES


def record(value: bytes | None, **headers: str) -> Received:
    return Received(
        topic="t", partition=1, offset=2, timestamp_ms=1_000, key=b"k\xff", value=value,
        headers=headers,
    )  # fmt: skip


def shown(one: Received) -> str:
    console = Console(file=io.StringIO(), width=200)
    print_record(console, one)
    text = console.file
    assert isinstance(text, io.StringIO)
    return text.getvalue()


def test_a_row_holds_the_whole_record() -> None:
    """JSON as JSON, anything else in base64, nothing as null."""
    row = record_row(record(b'{"a": 1}', x="y"))
    assert row["value"] == {"a": 1}
    assert (row["topic"], row["partition"], row["offset"]) == ("t", 1, 2)
    assert row["timestamp"] == "1970-01-01T00:00:01+00:00"
    assert record_row(record(b"\xff"))["value_base64"] == "/w=="
    assert record_row(record(b"NaN"))["value_base64"] == "TmFO"
    assert record_row(record(None))["value_base64"] is None


def test_every_kind_of_record_has_a_line() -> None:
    """Story, failure, dead letter, and whatever else there may be; markup in it is only text."""
    story = json.dumps(EXAMPLES[EventType.GENERATED]).encode()
    failure = json.dumps(EXAMPLES[EventType.FAILED]).encode()
    assert "Dragon Who Kept the Light" in shown(record(story, ce_type=EventType.GENERATED))
    assert "provider_unavailable" in shown(record(failure, ce_type=EventType.FAILED))
    piece = json.dumps({**EXAMPLES[EventType.PROGRESS], "delta": "[b]Once", "final": True})
    said = shown(record(piece.encode(), ce_type=EventType.PROGRESS))
    assert "[b]Once (the end)" in said
    assert "nonsense" in shown(record(b"nonsense", ce_type=EventType.PROGRESS))
    dead = {
        "x-dlq-error-code": "internal", "x-dlq-error-message": "[bold]oops", "x-dlq-topic": "s",
    }  # fmt: skip
    assert "[bold]oops" in shown(record(b"", **dead))
    assert "[red]x" in shown(record(b"[red]x"))


@pytest.mark.parametrize("timestamp_ms", [2**63 - 1, -(2**63), -1])
def test_any_timestamp_can_be_shown(timestamp_ms: int) -> None:
    """Kafka takes any."""
    strange = replace(record(b"nonsense"), timestamp_ms=timestamp_ms)
    assert "nonsense" in shown(strange)
    assert record_row(strange)["timestamp"]


def test_a_record_can_forge_no_line_and_steer_no_terminal() -> None:
    """Whoever may write to a topic writes to the operator's screen."""
    forged = {"x-dlq-error-code": "internal", "x-dlq-error-message": "a\n12:00 ✓ all well\x1b[2J"}
    line = shown(record(b"", **forged))
    assert line.count("\n") == 1
    assert "\x1b" not in line
