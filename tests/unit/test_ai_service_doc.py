"""What docs/AI_SERVICE.md tells others to set and to run, set and run."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from jiraiya_events.cli.app import app
from jiraiya_events.settings import Settings, load_settings

PAGE = (Path(__file__).parents[2] / "docs" / "AI_SERVICE.md").read_text(encoding="utf-8")
LINES = [
    line
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    for line in re.findall(r"^\$ (.*)$", block, re.MULTILINE)
]
EXPORTS = [line.removeprefix("export ") for line in LINES if line.startswith("export ")]
COMMANDS = [line for line in LINES if not line.startswith("export ")]


def settings_of(export: str) -> Settings:
    """Return the settings with one variable set as a shell would set it."""
    (word,) = shlex.split(export)
    name, _, value = word.partition("=")
    return load_settings({name: value}, dotenv=None)


@pytest.mark.parametrize("export", EXPORTS)
def test_every_example_of_a_setting_is_accepted(export: str) -> None:
    """Set by itself, it starts without a warning."""
    assert settings_of(export).warnings == ()


def test_the_example_of_fallbacks_means_what_is_written_beside_it() -> None:
    """Names alone use the main endpoint, the other one its own."""
    names, own = (
        settings_of(export).llm.fallback_models for export in EXPORTS if "FALLBACK" in export
    )
    assert [one.model for one in names] == ["gpt-4o", "gpt-4.1-mini"]
    assert [one.base_url for one in names] == [None, None]
    assert [one.base_url for one in own] == [None, "https://models.example.com/v1"]
    assert own[1].api_key is not None


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_does_what_it_says(line: str) -> None:
    """With what is piped into it, it ends well."""
    said, _, command = line.rpartition(" | ")
    given = shlex.split(said)[1] if said else None
    program, *arguments = shlex.split(command)
    assert program == "jiraiya"
    result = CliRunner().invoke(app, arguments, input=given)
    assert result.exit_code == 0, result.output
    assert "moon" in result.output or given is None
