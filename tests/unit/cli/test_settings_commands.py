"""`config show`, `config check`, and what every command does about wrong settings."""

import json
from pathlib import Path

import pytest

from tests.unit.cli.command_line import jiraiya

SECRET = "sk-very-secret"


def test_config_show_lists_values_and_origins_and_hides_secrets(tmp_path: Path) -> None:
    """One JSON object a line; a secret's value is nowhere."""
    settings = {"JIRAIYA_LLM__API_KEY": SECRET, "JIRAIYA_KAFKA__GROUP_ID": "stories"}
    shown = jiraiya("config", "show", "--json", cwd=tmp_path, settings=settings)
    rows = {row["name"]: row for row in shown.rows}
    assert rows["JIRAIYA_KAFKA__GROUP_ID"]["value"] == "stories"
    assert rows["JIRAIYA_KAFKA__GROUP_ID"]["origin"] == "the environment"
    assert rows["JIRAIYA_TOPICS__DLQ"]["origin"] == "default"
    assert SECRET not in shown.out + shown.err


def test_config_show_reads_well_as_a_table(tmp_path: Path) -> None:
    """A heading, and every setting in a line that names it."""
    shown = jiraiya("config", "show", cwd=tmp_path)
    assert shown.out.startswith("SETTING")
    assert "JIRAIYA_ENGINE__MAX_IN_FLIGHT" in shown.out


@pytest.mark.parametrize("command", [("serve",), ("doctor",), ("topics", "plan"), ("tail",)])
def test_wrong_settings_are_a_line_each_and_exit_code_2(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    """The variable, its value and the rule; no traceback."""
    settings = {"JIRAIYA_ENGINE__MAX_TRIES": "0", "JIRAIYA_HTTP__PORT": "eighty"}
    ended = jiraiya(*command, cwd=tmp_path, settings=settings)
    assert ended.code == 2
    assert len(ended.err.splitlines()) == 2
    assert "JIRAIYA_ENGINE__MAX_TRIES='0'" in ended.err
    assert "JIRAIYA_HTTP__PORT='eighty'" in ended.err
    assert ended.out == ""


def test_serve_without_a_key_says_which_to_set(tmp_path: Path) -> None:
    """A missing key is a wrong setting: nothing is started for it."""
    settings = {"JIRAIYA_DATA_DIR": str(tmp_path)}
    ended = jiraiya("serve", cwd=tmp_path, settings=settings)
    assert ended.code == 2
    assert "OPENAI_API_KEY" in ended.err


def test_config_check_warns_of_a_misspelt_name(tmp_path: Path) -> None:
    """It would start, so the exit code is 0; the warning is on stderr."""
    settings = {"OPENAI_API_KEY": "x", "JIRAIYA_ENGINE__MAX_TRYS": "5"}
    ended = jiraiya("config", "check", "--json", cwd=tmp_path, settings=settings)
    assert ended.code == 0
    assert ended.rows[0]["ok"] is True
    assert "JIRAIYA_ENGINE__MAX_TRYS" in ended.err


def test_config_check_warns_of_a_budget_that_no_story_fits_into(tmp_path: Path) -> None:
    """On stderr for people, and in the row, which is all there is on stdout."""
    settings = {
        "OPENAI_API_KEY": "some",
        "JIRAIYA_LLM__MODEL": "gpt-4o-mini",
        "JIRAIYA_LIMITS__USER_DAILY_USD": "0.000001",
    }
    ended = jiraiya("config", "check", "--json", cwd=tmp_path, settings=settings)
    (row,) = map(json.loads, ended.out.splitlines())
    (warning,) = row["warnings"]
    assert warning.startswith("JIRAIYA_LIMITS__USER_DAILY_USD")
    assert ended.err == f"warning: {warning}\n"


def test_config_check_says_in_one_go_all_that_it_can_know(tmp_path: Path) -> None:
    """A wrong value, a contradiction, the missing key, and the misspelt name."""
    settings = {
        "JIRAIYA_HTTP__PORT": "eighty",
        "JIRAIYA_TOPICS__FAILED": "story.generated",
        "JIRAIYA_ENGINE__MAX_TRYS": "5",
    }
    ended = jiraiya("config", "check", cwd=tmp_path, settings=settings)
    assert ended.code == 2
    lines = ended.err.splitlines()
    assert len(lines) == 4
    for part in ("PORT='eighty'", "is also the name of", "LLM__API_KEY is missing", "MAX_TRYS"):
        assert any(part in line for line in lines)


def test_config_check_does_not_miss_a_key_that_is_there_and_wrong(tmp_path: Path) -> None:
    """What follows from leaving a wrong value out is no problem of its own."""
    ended = jiraiya("config", "check", cwd=tmp_path, settings={"OPENAI_API_KEY": "ses\u00e4me"})
    assert ended.code == 2
    assert len(ended.err.splitlines()) == 1
    assert "must be printable ASCII" in ended.err


@pytest.mark.parametrize("made", [True, False])
def test_config_check_has_one_line_for_a_file_that_tls_cannot_use(
    tmp_path: Path, *, made: bool
) -> None:
    """Whether it is not there or is no certificate."""
    file = tmp_path / "ca.pem"
    if made:
        file.write_text("no certificate")
    settings = {
        "JIRAIYA_KAFKA__SECURITY_PROTOCOL": "SSL",
        "JIRAIYA_KAFKA__SSL_CAFILE": str(file),
        "OPENAI_API_KEY": "some",
    }
    ended = jiraiya("config", "check", cwd=tmp_path, settings=settings)
    assert ended.code == 2
    (line,) = ended.err.splitlines()
    assert "JIRAIYA_KAFKA__SSL_CAFILE" in line


def test_an_unexpected_error_is_one_line_unless_debugging(tmp_path: Path) -> None:
    """The traceback is for those who ask for it."""
    folder = tmp_path / "a file"
    folder.write_text("")
    ended = jiraiya("schemas", "--output", str(folder / "below"), cwd=tmp_path)
    assert ended.code == 1
    assert ended.err.startswith("error: ")
    assert len(ended.err.splitlines()) == 1
    debugging = {"JIRAIYA_LOG__LEVEL": "DEBUG"}
    ended = jiraiya("schemas", "--output", str(folder / "below"), cwd=tmp_path, settings=debugging)
    assert "Traceback" in ended.err
