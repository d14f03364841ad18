"""`jiraiya dlq` before it asks Kafka anything, and how it shows what it found."""

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from jiraiya_events.cli.dlq.choice import Choice
from jiraiya_events.cli.dlq.edit import split_file
from jiraiya_events.cli.dlq.view import (
    found_row,
    print_found,
    print_summary,
    printable,
    summary_rows,
)
from jiraiya_events.cli.dlq.whole import pretty, print_whole, whole_row
from jiraiya_events.cli.exits import Unusable
from jiraiya_events.contract.letters import Origin
from jiraiya_events.contract.marks import Action, Mark
from jiraiya_events.ops.dead_letters.references import Place
from jiraiya_events.ops.dead_letters.selection import Selection
from jiraiya_events.ops.dead_letters.staying import Stays
from jiraiya_events.ops.dead_letters.summary import Summary
from jiraiya_events.ops.dead_letters.survey import Found
from tests.unit.cli.command_line import jiraiya
from tests.unit.ops.letters import DLQ, letter

NOW = 1_800_000_000.0
NO_KAFKA = {"JIRAIYA_KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:1"}
STEERING = "\x1b[2J\x9b\u202e"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("replay",), "say what to replay"),
        (("discard",), "say what to discard"),
        (("replay", "--all"), "add --yes"),
        (("discard", "3:17"), "add --yes"),
        (("replay", "3-17", "--yes"), "names no dead letter"),
        (("show", "3-17"), "names no dead letter"),
        (("list", "--code", "intrnal"), "there is no code 'intrnal'"),
        (("list", "--since", "yesterday"), "--since: 'yesterday'"),
        (("list", "--until", "2026-01-31"), "--until: '2026-01-31'"),
        (("replay", "--edit", "--yes"), "REF --edit [FILE]"),
        (("replay", "1:1", "2:2", "--edit", "--yes"), "REF --edit [FILE]"),
        (("replay", "1:1", "a.json", "b.json", "--edit", "--yes"), "one FILE"),
        (("replay", "1:1", "--rate", "0"), "--rate"),
        (("list", "--limit", "0"), "--limit"),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(
    arguments: tuple[str, ...], word: str, tmp_path: Path
) -> None:
    """Exit code 2 and a line that says what can be; Kafka is not even asked."""
    told = jiraiya("dlq", *arguments, cwd=tmp_path, settings=NO_KAFKA)
    assert (told.code, told.out) == (2, "")
    assert word in told.err.replace("\n", " ")
    assert "Traceback" not in told.err


def test_without_kafka_one_line_says_so(tmp_path: Path) -> None:
    told = jiraiya("dlq", "list", cwd=tmp_path, settings=NO_KAFKA)
    assert told.code == 1
    assert told.err.count("\n") == 1
    assert "127.0.0.1:1" in told.err


def test_selectors_become_a_selection() -> None:
    choice = Choice(
        ["3:17", "story.requested/1/2"], ["internal"], "2h", "2026-01-31T12:00:00Z", ["k"], ["u"], 5
    )
    assert choice.selection(DLQ, NOW) == Selection(
        references=frozenset({Place(3, 17), Origin("story.requested", 1, 2)}),
        codes=frozenset({"internal"}),
        since=NOW - 7200,
        until=1_769_860_800.0,
        keys=frozenset({b"k"}),
        users=frozenset({"u"}),
        limit=5,
    )


@pytest.mark.parametrize(("age", "seconds"), [("90s", 90), ("30m", 1800), ("7d", 604_800)])
def test_an_age_counts_back_from_now(age: str, seconds: int) -> None:
    assert Choice(since=age).selection(DLQ, NOW).since == NOW - seconds


def test_all_and_any_selector_is_a_choice_and_nothing_is_none() -> None:
    assert Choice().is_open
    for chosen in (Choice(everything=True), Choice(limit=1), Choice(since="1s"), Choice(["1:1"])):
        assert not chosen.is_open


@pytest.mark.parametrize("given", [["1:1", "new.json"], ["new.json", "1:1"]])
def test_the_file_of_an_edit_stands_anywhere(given: list[str]) -> None:
    assert split_file(Choice(given)) == (Choice(["1:1"]), Path("new.json"))


def test_an_edit_without_a_file_has_none() -> None:
    assert split_file(Choice(["1:1"])) == (Choice(["1:1"]), None)
    with pytest.raises(Unusable):
        split_file(Choice(None))


def test_a_row_says_what_a_script_needs() -> None:
    row = found_row(Found(letter(3, 17, origin=(1, 2)), None, Stays.CAP))
    assert row | {"bytes": 0} == {
        "reference": "3:17",
        "request": "story.requested/1/2",
        "request_id": "r",
        "user_id": "u-1",
        "key": "u-1",
        "code": "internal",
        "message": "",
        "tries": 0,
        "attempt": 1,
        "failed_at": "2026-01-31T12:00:00.000Z",
        "bytes": 0,
        "stays": "cap",
        "handled": None,
        "handled_at": None,
    }


def test_a_record_of_somebody_else_has_a_row_too() -> None:
    """Nothing is known of it but where it is."""
    foreign = letter(origin=None, key=b"\xff", value=None)
    row = found_row(Found(foreign, Mark(Action.DISCARDED, NOW), None))
    assert (row["request"], row["request_id"], row["user_id"]) == (None, None, None)
    assert (row["key"], row["handled"]) == ("\\xff", "discarded")
    json.dumps(row)


def test_nothing_that_is_shown_steers_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither a body, nor a key, a header or a message that somebody sent."""
    sent = STEERING.encode()
    nasty = letter(
        key=sent,
        value=json.dumps(
            {"user_id": STEERING, "keywords": [STEERING]}, ensure_ascii=False
        ).encode(),
        more=[("x-dlq-error-message", sent), ("x-" + STEERING, sent), ("b", b"[red]")],
    )
    found = Found(nasty, None, None)
    shown = io.StringIO()
    print_whole(Console(file=shown), found)
    print_found(found)
    everything = shown.getvalue() + capsys.readouterr().out
    assert not set(STEERING[:1] + STEERING[4:]) & set(everything)
    assert "[red]" in everything
    assert printable("a\nb\x1bc") == "a\nb\\u001bc"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b'{"a":["\xc3\xa4"]}', '{\n  "a": [\n    "ä"\n  ]\n}'),
        (b"no json", "no json"),
        (b"\xff\x00", "ff 00"),
        (b"\xff" * 300, "ff " * 255 + "ff … and 44 bytes more; --json has them"),
    ],
)
def test_a_body_is_shown_as_what_it_is(value: bytes, shown: str) -> None:
    assert pretty(value) == shown


def test_a_long_body_is_cut_for_people_and_whole_in_json() -> None:
    found = Found(letter(value=b"a" * 20_000), None, None)
    shown = io.StringIO()
    print_whole(Console(file=shown), found)
    assert "3,616 characters more" in shown.getvalue()
    assert len(whole_row(found)["value_base64"]) > 20_000


def test_a_dead_letter_is_shown_with_the_next_step() -> None:
    """By its code, by why it stays, or that it is done."""
    dead = letter(value=None)
    for found, words in (
        (Found(dead, None, None), "bug of ours"),
        (Found(dead, None, Stays.NO_PARTITION), "no longer exists"),
        (Found(dead, Mark(Action.REPLAYED, NOW), None), "it is done"),
    ):
        shown = io.StringIO()
        print_whole(Console(file=shown, width=200), found)
        assert words in shown.getvalue()
        assert "no body (null)" in shown.getvalue()
    row = whole_row(Found(dead, None, None))
    assert row["value"] is None
    assert ["x-dlq-topic", "story.requested"] in row["headers"]


def test_the_summary_fits_a_terminal_and_counts_everything() -> None:
    summary = Summary()
    for number in range(3):
        dead = letter(0, number, code="provider_rate_limited")
        stays = Stays.CAP if number else None
        summary.add(dead, Mark(Action.REPLAYED, NOW) if number == 2 else None, stays)
    shown = io.StringIO()
    print_summary(summary, Console(file=shown, width=80))
    lines = shown.getvalue().splitlines()
    assert lines[1].split() == [
        "provider_rate_limited", "3", "1", "1", "1", "01-31", "12:00", "01-31", "12:00",
    ]  # fmt: skip
    assert "1 stay: it was replayed as often as" in lines[2]
    (row,) = summary_rows(summary)
    assert row["stays"] == {"cap": 1}
    assert (row["letters"], row["replayable"], row["handled"]) == (3, 1, 1)


def test_a_line_says_that_it_was_handled(capsys: pytest.CaptureFixture[str]) -> None:
    print_found(Found(letter(3, 17), Mark(Action.DISCARDED, NOW), None))
    print_found(Found(replace(letter(3, 18), key=None), None, Stays.CAP))
    first, second = capsys.readouterr().out.splitlines()
    assert ("3:17" in first, "discarded" in first) == (True, True)
    assert ("3:18" in second, "(cap)" in second) == (True, True)
