"""What most commands begin with: settings, warnings and the log."""
# ruff: noqa: PLC0415 - reading settings imports pydantic, which `--help` does not wait for

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import typer

from jiraiya_events.cli.output import note

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from jiraiya_events.settings import Settings


def settings_of_this_process() -> Settings:
    """Return the settings, having said what looks odd about them. Raises `SettingsError`."""
    from jiraiya_events.settings import WrongSettings, load_settings

    try:
        settings = load_settings()
    except WrongSettings as error:
        _say(error.warnings)
        raise
    _say(settings.warnings)
    return settings


def _say(warnings: tuple[str, ...]) -> None:
    for warning in warnings:
        note(f"warning: {warning}")


def log_quietly(settings: Settings) -> None:
    """Let only warnings through, for commands whose answer is not the log."""
    import logging

    from jiraiya_events.adapters.telemetry.logs import configure_logs
    from jiraiya_events.settings import secret_values

    debugging = settings.log.level == "DEBUG"
    configure_logs(
        level="DEBUG" if debugging else "WARNING",
        style=settings.log.format,
        secrets=secret_values(settings),
    )
    if not debugging:
        # What it logs as an error is what the command is about to say in words.
        logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


def run(
    work: Coroutine[Any, Any, int],
    *,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> None:
    """Run `work` to its end and exit with the code it returns."""
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        code = runner.run(work)
    raise typer.Exit(code)
