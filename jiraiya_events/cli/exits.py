"""How a command ends: an exit code, and an error in words that a person can act on."""

import os
import sys
import traceback
from typing import Final

import typer

from jiraiya_events.domain.errors import JiraiyaError, SettingsError

DONE: Final = 0
FAILED: Final = 1
USAGE: Final = 2
INTERRUPTED: Final = 130


class Failed(JiraiyaError):
    """What a command was asked for did not work; the message says what to do."""


class Unusable(JiraiyaError):
    """What a command was given cannot be used; the message says what can."""


def exit_code(error: Exception) -> int:
    """Return the exit code an error stands for."""
    return USAGE if isinstance(error, SettingsError | Unusable) else FAILED


def reported(error: Exception) -> None:
    """Say on stderr what went wrong: a line for each thing, no traceback unless debugging."""
    if os.environ.get("JIRAIYA_LOG__LEVEL", "").upper() == "DEBUG":
        traceback.print_exception(error)
    lines = error.lines if isinstance(error, SettingsError) else (_words(error),)
    for line in lines:
        typer.secho("error: ", fg=typer.colors.RED, bold=True, nl=False, err=True)
        sys.stderr.write(f"{line}\n")


def _words(error: Exception) -> str:
    if isinstance(error, JiraiyaError):
        return str(error)
    if isinstance(error, OSError):
        return str(error)
    return (
        f"this is a bug of ours ({type(error).__name__}: {error}); "
        "JIRAIYA_LOG__LEVEL=DEBUG shows where, and makes a good report"
    )
