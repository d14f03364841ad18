"""`jiraiya asyncapi` and `jiraiya schemas`: the contract's documents, from the code."""
# ruff: noqa: PLC0415 - each command imports what it works with, so that `--help` is quick

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from jiraiya_events.cli.exits import FAILED
from jiraiya_events.cli.output import Json, emit, note

Check = Annotated[
    bool, typer.Option("--check", help="Write nothing; fail when a file differs from the code.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("asyncapi")(asyncapi)
    app.command("schemas")(schemas)


def asyncapi(
    *,
    path: Annotated[Path, typer.Option("--output", "-o", help="The file.", dir_okay=False)] = Path(
        "asyncapi.yaml"
    ),
    check: Check = False,
    json: Json = False,
) -> None:
    """Write the AsyncAPI 3.0 document of the default topics.

    Try: `jiraiya asyncapi --check` in CI
    """
    from jiraiya_events.contract.asyncapi import check_asyncapi, write_asyncapi

    if check:
        _report(check_asyncapi(path), f"{path} is current", json=json)
    else:
        write_asyncapi(path)
        _report([], f"wrote {path}", json=json)


def schemas(
    *,
    folder: Annotated[
        Path, typer.Option("--output", "-o", help="The folder.", file_okay=False)
    ] = Path("schemas"),
    check: Check = False,
    json: Json = False,
) -> None:
    """Write the JSON Schema (2020-12) of every event, each in a file of its own.

    Try: `jiraiya schemas --check` in CI
    """
    from jiraiya_events.contract.schemas import check_schemas, write_schemas

    if check:
        _report(check_schemas(folder), f"{folder}/ is current", json=json)
    else:
        write_schemas(folder)
        _report([], f"wrote {folder}/", json=json)


def _report(faults: Sequence[str], done: str, *, json: bool) -> None:
    if json:
        emit({"ok": not faults, "faults": list(faults)})
    for line in faults or [done]:
        note(line)
    if faults:
        raise typer.Exit(FAILED)
