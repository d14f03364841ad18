"""The draft an operator edits, and whether the body's answer can be known here to be paid for."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from jiraiya_events.adapters.store.open_store import open_stores
from jiraiya_events.cli.dlq.edit import write_anew
from jiraiya_events.cli.dlq.paid import refuse_paid
from jiraiya_events.cli.exits import Failed, Unusable
from jiraiya_events.settings import Settings
from tests.unit.cli.command_line import environment
from tests.unit.ops.letters import letter


@pytest.fixture(autouse=True)
def drafts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder where drafts are written."""
    folder = tmp_path / "drafts"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.delenv("EDITOR", raising=False)
    return folder


def edit_with(script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the editor be this Python, where `path` is the draft."""
    program = f"import os, pathlib, signal, sys; path = pathlib.Path(sys.argv[1]); {script}"
    monkeypatch.setenv("EDITOR", shlex.join([sys.executable, "-c", program]))


def test_half_a_surrogate_pair_can_be_edited(drafts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No UTF-8 can hold one; what was not touched is the same JSON afterwards."""
    body = rb'{"title": "\ud800", "keywords": ["a"]}'
    edit_with("path.write_text(path.read_text().replace('\"a\"', '\"b\"'))", monkeypatch)
    written = write_anew(letter(value=body))
    assert json.loads(written) == {"title": "\ud800", "keywords": ["b"]}
    assert list(drafts.iterdir()) == []


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ("pass", Failed),
        ("sys.exit(3)", Failed),
        ("path.unlink()", Failed),
    ],
)
def test_no_draft_is_left_behind(
    script: str, error: type[BaseException], drafts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether nothing was changed, the editor failed, or somebody removed it."""
    edit_with(script, monkeypatch)
    with pytest.raises(error):
        write_anew(letter())
    assert list(drafts.iterdir()) == []


def test_ctrl_c_in_the_editor_leaves_no_draft(drafts: Path) -> None:
    """The terminal sends it to the tool as well, here the editor does."""
    tool = (
        # Whoever runs the tests in the background has it ignored, and so would the tool.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from jiraiya_events.cli.dlq.edit import write_anew\n"
        "from tests.unit.ops.letters import letter\n"
        "try: write_anew(letter())\n"
        "except KeyboardInterrupt: print('interrupted')\n"
    )
    editor = (
        "import os, signal; signal.alarm(5); os.kill(os.getppid(), signal.SIGINT); signal.pause()"
    )
    settings = {"EDITOR": shlex.join([sys.executable, "-c", editor]), "TMPDIR": str(drafts)}
    ended = subprocess.run(
        [sys.executable, "-c", tool],
        env=environment(settings),
        capture_output=True,
        timeout=30,
        check=True,
    )
    assert ended.stdout == b"interrupted\n"
    assert list(drafts.iterdir()) == []


@pytest.mark.parametrize("editor", ["", "/no/such/editor"])
def test_without_an_editor_there_is_no_draft(
    editor: str, drafts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDITOR", editor)
    with pytest.raises(Unusable, match="EDITOR"):
        write_anew(letter())
    assert list(drafts.iterdir()) == []


async def asked(url: str) -> None:
    dead = letter()
    assert dead.origin is not None
    await refuse_paid(Settings.model_validate({"store": {"url": url}}), dead, dead.origin)


async def test_a_store_that_is_not_here_is_not_made_and_not_believed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An empty one would say that nothing is paid for."""
    file = tmp_path / "outcomes.db"
    await asked(f"sqlite:///{file}")
    assert not file.exists()
    told = capsys.readouterr().err
    assert told.startswith("not checked here: ")
    assert str(file) in told
    await asked("memory://")
    assert "memory://" in capsys.readouterr().err


async def test_a_store_that_cannot_be_read_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "outcomes.db"
    file.write_bytes(b"no database " * 100)
    await asked(f"sqlite:///{file}")
    assert capsys.readouterr().err.startswith("not checked here: ")


async def test_a_store_that_knows_of_no_answer_lets_it_pass(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stores = open_stores(f"sqlite:///{tmp_path / 'outcomes.db'}", 60.0, 0)
    await stores.results.ping()
    await stores.aclose()
    await asked(f"sqlite:///{tmp_path / 'outcomes.db'}")
    assert capsys.readouterr().err == ""
