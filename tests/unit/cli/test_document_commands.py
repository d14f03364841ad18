"""`asyncapi`, `schemas` and `prompt show`."""

import json
from pathlib import Path

from tests.unit.cli.command_line import jiraiya


def test_written_documents_pass_their_own_check(tmp_path: Path) -> None:
    """And the check writes nothing."""
    for command in ("asyncapi", "schemas"):
        assert jiraiya(command, "--check", cwd=tmp_path).code == 1
        assert list(tmp_path.glob(f"{command}*")) == []
        assert jiraiya(command, cwd=tmp_path).code == 0
        assert jiraiya(command, "--check", cwd=tmp_path).code == 0


def test_drift_is_named_and_fails(tmp_path: Path) -> None:
    """The file that differs, and how to write it."""
    jiraiya("schemas", cwd=tmp_path)
    path = tmp_path / "schemas" / "story.failed.v1.json"
    path.write_text(path.read_text() + "\n")
    ended = jiraiya("schemas", "--check", "--json", cwd=tmp_path)
    assert ended.code == 1
    assert ended.rows == [{"ok": False, "faults": [ended.err.strip()]}]
    assert "story.failed.v1.json" in ended.err


def test_prompt_show_prints_what_would_be_sent(tmp_path: Path) -> None:
    """For a request of one's own, read from stdin; identity never reaches the model."""
    wish = {"user_id": "somebody", "keywords": ["lantern"], "length": "long", "model": "m-1"}
    shown = jiraiya(
        "prompt", "show", "--request", "-", "--json", cwd=tmp_path, given=json.dumps(wish)
    )
    (row,) = shown.rows
    assert row["model"] == "m-1"
    assert [message["role"] for message in row["messages"]] == ["system", "user"]
    assert json.loads(row["messages"][1]["content"])["keywords"] == ["lantern"]
    assert "somebody" not in shown.out


def test_prompt_show_has_an_example_of_its_own(tmp_path: Path) -> None:
    """Without a request it shows the contract's example, as text for people."""
    shown = jiraiya("prompt", "show", cwd=tmp_path)
    assert shown.code == 0
    assert "lighthouse" in shown.out


def test_a_request_that_is_none_is_wrong_usage(tmp_path: Path) -> None:
    """Not JSON, or breaking the schema: exit code 2 with the field's name."""
    ended = jiraiya("prompt", "show", "-r", "-", cwd=tmp_path, given='{"user_id": "u"}')
    assert ended.code == 2
    assert "keywords: required" in ended.err
    assert jiraiya("prompt", "show", "-r", "-", cwd=tmp_path, given="{").code == 2
    assert "cannot be read" in jiraiya("prompt", "show", "-r", "absent", cwd=tmp_path).err
