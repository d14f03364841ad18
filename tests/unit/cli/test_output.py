"""What goes to stdout as JSON can be read back, whatever it holds and wherever it goes."""

import io
import json

import pytest

from jiraiya_events.cli.output import emit, err, out, print_table
from jiraiya_events.cli.record_view import record_row
from jiraiya_events.client import Received


def written(row: dict[str, object], encoding: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return what a stream of this encoding is given; as ours, it replaces what it cannot hold."""
    stream = io.BytesIO()
    out = io.TextIOWrapper(stream, encoding=encoding, errors="replace")
    monkeypatch.setattr("sys.stdout", out)
    emit(row)
    return stream.getvalue().decode(encoding)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_bytes_that_are_no_text_can_be_read_back(
    encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A header's name and a key; Kafka takes any."""
    name = b"x-\xff".decode("utf-8", "surrogateescape")
    record = Received(
        topic="t", partition=1, offset=2, timestamp_ms=0, key=b"k\xfe", value=b'"\xc3\xa4"',
        headers={name: "v"},
    )  # fmt: skip
    row = json.loads(written(record_row(record), encoding, monkeypatch))
    assert row["key"].encode("utf-8", "surrogateescape") == b"k\xfe"
    assert row["headers"] == {name: "v"}
    assert row["value"] == "\N{LATIN SMALL LETTER A WITH DIAERESIS}"


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
