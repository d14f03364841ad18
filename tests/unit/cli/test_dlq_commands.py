"""`jiraiya dlq` before it asks Kafka anything, and how it shows what it found."""

import base64
import io
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from jiraiya_events.cli.dlq.choice import Choice
from jiraiya_events.cli.dlq.edit import split_file
from jiraiya_events.cli.dlq.lines import (
    found_row,
    heading,
    line_of,
)
from jiraiya_events.cli.dlq.page import page_row, pretty, print_page
from jiraiya_events.cli.dlq.reading import Reading
from jiraiya_events.cli.dlq.sums import print_summary, summary_rows
from jiraiya_events.cli.exits import Unusable
from jiraiya_events.cli.printable import printable, printable_body
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


def plain(styled: str) -> str:
    """Return a line without its colours."""
    return Text.from_ansi(styled).plain


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("replay",), "say what to replay"),
        (("discard",), "say what to discard"),
        (("replay", "--all"), "add --yes"),
        (("discard", "3:17"), "add --yes"),
        (("replay", "3-17", "--yes"), "names no dead letter"),
        (("show", "3-17"), "names no dead letter"),
        (("list", "--since", "yesterday"), "--since: 'yesterday'"),
        (("list", "--until", "2026-01-31"), "--until: '2026-01-31'"),
        (("replay", "--edit", "--yes"), "REF --edit [FILE]"),
        (("replay", "1:1", "2:2", "--edit", "--yes"), "REF --edit [FILE]"),
        (("replay", "1:1", "a.json", "b.json", "--edit", "--yes"), "one FILE"),
        (("replay", "1:1", "--rate", "0"), "--rate"),
        (("replay", "1:1", "--rate", "inf"), "--rate"),
        (("replay", "1:1", "--rate", "nan"), "--rate"),
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
        "correlation_id": "r",
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


@pytest.mark.parametrize("timestamp_ms", [2**63 - 1, -(2**63), -1])
def test_any_timestamp_can_be_shown(timestamp_ms: int) -> None:
    """Kafka takes any; one such record must not hide all others."""
    foreign = replace(letter(failed_at="", origin=None), timestamp_ms=timestamp_ms)
    found = Found(foreign, None, None)
    assert len(found_row(found)["failed_at"]) == len("9999-12-30T23:59:59.000Z")
    assert foreign.reference in line_of(found, None)


def test_nothing_that_is_shown_steers_the_terminal() -> None:
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
    print_page(Console(file=shown), found)
    everything = shown.getvalue() + plain(line_of(found, 120))
    assert not set(STEERING[:1] + STEERING[4:]) & set(everything)
    assert "[red]" in everything
    assert printable("a\nb\x1bc") == "a\\u000ab\\u001bc"
    assert printable_body("a\nb\x1bc") == "a\nb\\u001bc"


@pytest.mark.parametrize("end", ["\n", "\r", "\x0b", "\x85", "\u2028"])
def test_nothing_that_was_sent_makes_a_line_of_its_own(end: str) -> None:
    """Neither in the list, nor in the summary, nor above the body of the page."""
    forged = f"x{end}0:0  01-31 12:00  all is well"
    dead = letter(
        code=forged,
        key=forged.encode(),
        value=None,
        more=[("x-dlq-error-message", forged.encode()), (forged, forged.encode())],
    )
    found = Found(dead, None, None)
    assert len(line_of(found, None).splitlines()) == 1
    page, summary, sums = io.StringIO(), Summary(), io.StringIO()
    print_page(Console(file=page, width=300), found)
    summary.add(dead, None, None)
    print_summary(summary, Console(file=sums, width=300))
    lines = [*page.getvalue().splitlines(), *sums.getvalue().splitlines()]
    assert not [line for line in lines if line.lstrip().startswith("0:0  01-31")]


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
    print_page(Console(file=shown), found)
    assert "3,616 characters more" in shown.getvalue()
    assert len(page_row(found)["value_base64"]) > 20_000


@pytest.mark.parametrize("value", [b'{"a": NaN}', b"[-Infinity]", b"1e999", b"[" * 9_999, b""])
def test_what_is_no_json_is_shown_in_base64(value: bytes) -> None:
    """Python's parser would take the first three, and a script could not read them back."""
    row = page_row(Found(letter(value=value), None, None))
    assert base64.b64decode(row["value_base64"]) == value
    assert "value" not in row


def test_no_value_is_null() -> None:
    row = page_row(Found(letter(value=None), None, None))
    assert (row["value"], row["bytes"]) == (None, None)


def test_a_dead_letter_is_shown_with_the_next_step() -> None:
    """By its code, by why it stays, or that it is done."""
    dead = letter(value=None)
    for found, words in (
        (Found(dead, None, None), "bug of ours"),
        (Found(dead, None, Stays.NO_PARTITION), "no longer exists"),
        (Found(dead, Mark(Action.REPLAYED, NOW), None), "it is done"),
    ):
        shown = io.StringIO()
        print_page(Console(file=shown, width=200), found)
        assert words in shown.getvalue()
        assert "no body (null)" in shown.getvalue()
    row = page_row(Found(dead, None, None))
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


def test_a_line_says_that_it_was_handled() -> None:
    first = line_of(Found(letter(3, 17), Mark(Action.DISCARDED, NOW), None), None)
    second = line_of(Found(replace(letter(3, 18), key=None), None, Stays.CAP), None)
    assert ("3:17" in first, "discarded" in first) == (True, True)
    assert ("3:18" in second, "(cap)" in second) == (True, True)


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("key", [b"k" * 3_000, "物語".encode() * 1_500, b"\x1b" * 3_000, b"k"])
def test_a_line_fits_the_terminal_under_its_heading(key: bytes, width: int) -> None:
    """Whatever the key and the message; what was cut says so."""
    dead = letter(
        12, 345_678, key=key, code="provider_rate_limited",
        more=[("x-dlq-error-message", b"many words " * 90)],
    )  # fmt: skip
    for found in (Found(dead, None, None), Found(dead, Mark(Action.REPLAYED, NOW), None)):
        line = plain(line_of(found, width))
        assert cell_len(line) <= width
        assert line.endswith("replayed" if found.mark else "…")
        assert line[line.index("01-31") :].startswith("01-31 12:00  provider_rate_limited  1  ")
        assert ("…" in line[50:66]) == (len(key) > 16)
    assert cell_len(plain(heading())) <= 80


def test_a_page_names_the_correlation_id() -> None:
    """Which is what a log is searched for."""
    dead = letter(more=[("ce_correlationid", b"c-17")])
    shown = io.StringIO()
    print_page(Console(file=shown), Found(dead, None, None))
    assert "correlation c-17" in shown.getvalue()
    assert found_row(Found(dead, None, None))["correlation_id"] == "c-17"


def test_a_key_that_is_no_text_can_be_chosen() -> None:
    """As a shell passes bytes on."""
    assert Choice(keys=["a", os.fsdecode(b"\xff")]).selection(DLQ, NOW).keys == {b"a", b"\xff"}


def test_a_code_of_another_release_is_taken_with_a_note(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert Choice(codes=["of_tomorrow"]).selection(DLQ, NOW).codes == {"of_tomorrow"}
    assert "does not know 'of_tomorrow'" in capsys.readouterr().err
    Choice(codes=["internal", "unknown"]).selection(DLQ, NOW)
    assert capsys.readouterr().err == ""


class Terminal(io.StringIO):
    """A stream that people look at."""

    def isatty(self) -> bool:
        return True


def test_a_long_look_says_how_far_it_is_and_cleans_up() -> None:
    """Nothing in its first second, and nothing where nobody looks."""
    for stream, shown in ((Terminal(), "\rreading 3,000 of 9,000 …\x1b[K"), (io.StringIO(), "")):
        now = iter((0.0, 0.9, 1.1))
        reading = Reading(stream, lambda moments=now: next(moments))  # type: ignore[misc]
        reading(2_000, 9_000)
        assert stream.getvalue() == ""
        reading(3_000, 9_000)
        assert stream.getvalue() == shown
        reading.erase()
        reading.erase()
        assert stream.getvalue() == (shown and shown + "\r\x1b[K")
