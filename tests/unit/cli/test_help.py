"""What a person sees first."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.cli.command_line import ROOT, environment, jiraiya

COMMANDS = (
    "demo", "serve", "broker", "request", "tail", "doctor", "health",
    "dlq", "topics", "config", "prompt", "store", "asyncapi", "schemas",
)  # fmt: skip
HEAVY = (
    "aiokafka",
    "faststream",
    "langchain_core",
    "openai",
    "pydantic",
    "redis",
    "structlog",
    "yaml",
)


def test_help_names_every_command(tmp_path: Path) -> None:
    """And the exit codes, and it teaches the first steps."""
    shown = jiraiya("--help", cwd=tmp_path)
    assert shown.code == 0
    for command in COMMANDS:
        assert f"│ {command} " in shown.out
    assert "jiraiya demo" in shown.out
    assert "130 interrupted" in shown.out


@pytest.mark.parametrize(
    "command",
    [
        *((name,) for name in COMMANDS),
        ("topics", "plan"),
        ("config", "show"),
        ("prompt", "show"),
        ("store", "forget"),
        *(("dlq", name) for name in ("list", "show", "replay", "discard")),
    ],
)
def test_every_command_explains_itself(command: tuple[str, ...], tmp_path: Path) -> None:
    """Each has a sentence of its own, whatever the settings are."""
    shown = jiraiya(*command, "--help", cwd=tmp_path, settings={"JIRAIYA_ENV": "nonsense"})
    assert (shown.code, shown.err) == (0, "")
    assert len(shown.out.splitlines()[3].strip()) > 20


def test_help_waits_for_no_library() -> None:
    """The command line itself imports typer and nothing that costs time."""
    program = "import sys, jiraiya_events.cli.app; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment({}),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    loaded = set(done.stdout.split())
    assert "typer" in loaded
    assert loaded.isdisjoint(HEAVY)


def test_a_wrong_option_is_wrong_usage(tmp_path: Path) -> None:
    """Exit code 2 and no traceback."""
    ended = jiraiya("tail", "everything", cwd=tmp_path)
    assert ended.code == 2
    assert "'generated'" in ended.err
    assert "Traceback" not in ended.err


def test_the_version_is_printed(tmp_path: Path) -> None:
    """To stdout, for scripts."""
    assert jiraiya("--version", cwd=tmp_path).out.startswith("jiraiya ")
