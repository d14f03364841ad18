"""`jiraiya doctor`: everything the service needs, a line each, and how to mend it."""
# ruff: noqa: PLC0415 - each command imports what it works with, so that `--help` is quick

import contextlib
from typing import TYPE_CHECKING

import typer

from jiraiya_events.cli.exits import DONE, FAILED
from jiraiya_events.cli.output import Json, emit, out
from jiraiya_events.cli.session import log_quietly, run, settings_of_this_process

if TYPE_CHECKING:
    from rich.console import Console

    from jiraiya_events.ops.findings import Finding

MARKS = {
    "ok": "[green]✓[/]",
    "warning": "[yellow]![/]",
    "failed": "[red]✗[/]",
    "skipped": "[dim]-[/]",
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(*, json: Json = False) -> None:
    """Check settings, broker, authorization, topics, store and model endpoints.

    A line for each, and how to mend what is wrong; exit code 1 when something is. Nothing is
    published or consumed. With a key set, every configured model is asked for the first 16 tokens
    of a story, to learn whether it knows structured output; that costs next to nothing.
    """
    run(_examine(json=json))


async def _examine(*, json: bool) -> int:
    from jiraiya_events.cli.patient import patient_of
    from jiraiya_events.ops.doctor import examine
    from jiraiya_events.ops.findings import Verdict, ok, warning

    settings = settings_of_this_process()
    log_quietly(settings)
    async with contextlib.AsyncExitStack() as stack:
        patient = await patient_of(settings, stack)
        console = out()
        findings = [
            warning("settings", line, "correct the name, or remove it")
            for line in settings.warnings
        ]
        findings.append(ok("settings", f"readable; environment {settings.env}"))
        for finding in findings:
            _tell(finding, console, json=json)
        failures = 0
        async for finding in examine(patient):
            failures += finding.verdict is Verdict.FAILED
            _tell(finding, console, json=json)
    return FAILED if failures else DONE


def _tell(finding: "Finding", console: "Console", *, json: bool) -> None:
    if json:
        emit(
            {
                "subject": finding.subject,
                "verdict": finding.verdict,
                "detail": finding.detail,
                "mend": finding.mend,
            }
        )
        return
    mark = MARKS[finding.verdict]
    console.print(f"{mark} [bold]{finding.subject:14}[/]", end="")
    console.print(finding.detail, markup=False, soft_wrap=True)
    if finding.mend:
        console.print(
            f"                 → {finding.mend}", style="dim", markup=False, soft_wrap=True
        )
