"""What goes to stdout as JSON can be read back, whatever it holds and wherever it goes."""

import io
import json

import pytest
from aiokafka import ConsumerRecord

from jiraiya_events.cli.dlq.page import page_row
from jiraiya_events.cli.output import emit, err, out, print_table
from jiraiya_events.cli.record_view import record_row
from jiraiya_events.client.received import received
from jiraiya_events.contract.letters import DeadLetter
from jiraiya_events.ops.dead_letters.survey import Found


def written(row: dict[str, object], encoding: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return what a stream of this encoding is given; as ours, it replaces what it cannot hold."""
    stream = io.BytesIO()
    out = io.TextIOWrapper(stream, encoding=encoding, errors="replace")
    monkeypatch.setattr("sys.stdout", out)
    emit(row)
    return stream.getvalue().decode(encoding)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_bytes_that_are_no_text_are_written_as_text(
    encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a key and in a header; Kafka takes any, a strict parser no lone surrogate."""
    name = b"x-\xff".decode("utf-8", "surrogateescape")
    came = ConsumerRecord(
        "t", 1, 2, 0, 0, b"k\xfe", b'"\xc3\xa4"', None, 0, 0, ((name, b"v\xfd"), ("none", None))
    )
    line = written(record_row(received(came)), encoding, monkeypatch)
    row = json.loads(line)
    assert row["key"] == r"k\xfe"
    assert row["headers"] == {r"x-\xff": r"v\xfd", "none": ""}
    assert row["value"] == "\N{LATIN SMALL LETTER A WITH DIAERESIS}"
    assert r"\ud" not in line


def test_tail_and_the_dead_letters_write_bytes_alike() -> None:
    """The same record, so the same key and headers."""
    name = b"x-\xff".decode("utf-8", "surrogateescape")
    headers = [(name, b"v\xfd")]
    letter = DeadLetter("t", 1, 2, 0, b"k\xfe", None, headers)
    came = ConsumerRecord("t", 1, 2, 0, 0, b"k\xfe", None, None, 0, 0, headers)
    page, row = page_row(Found(letter, None, None)), record_row(received(came))
    assert page["key"] == row["key"]
    assert dict(page["headers"]) == row["headers"] == {r"x-\xff": r"v\xfd"}


def test_text_stays_as_it_is_where_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    """Escapes are for machines."""
    assert "\N{TURTLE}" in written({"title": "\N{TURTLE}"}, "utf-8", monkeypatch)


def test_what_looks_like_an_emoji_stays_what_somebody_wrote(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Titles, keywords and messages go through these three."""
    for console in (out(), err()):
        console.print(":dragon:")
        console.print("[bold]:dragon:[/]", markup=True)
    print_table(["title"], [[":dragon:"]])
    told = capsys.readouterr()
    assert (told.out.count(":dragon:"), told.err.count(":dragon:")) == (3, 2)
