"""`asyncapi` and `schemas`."""

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
