"""`jiraiya tail`: follows what the service publishes."""
# ruff: noqa: PLC0415 - each command imports what it works with, so that `--help` is quick

from enum import StrEnum
from typing import Annotated

import typer

from jiraiya_events.cli.exits import DONE
from jiraiya_events.cli.output import Json, emit, note, out
from jiraiya_events.cli.session import log_quietly, run, settings_of_this_process


class Output(StrEnum):
    """What can be followed."""

    GENERATED = "generated"
    FAILED = "failed"
    DLQ = "dlq"
    PROGRESS = "progress"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("tail")(tail)


def tail(
    output: Annotated[
        Output | None, typer.Argument(help="One of them; stories and failures without it.")
    ] = None,
    *,
    from_start: Annotated[
        bool, typer.Option("--from-start", help="Begin with what is there already.")
    ] = False,
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", min=1, help="End after so many records.")
    ] = None,
    json: Json = False,
) -> None:
    """Follow the outputs, committed records only, until Ctrl-C. Joins no group.

    Try: `jiraiya tail dlq --from-start`

    Try: `jiraiya tail generated --json | jq .value.story.title`
    """
    run(_tail(output, from_start=from_start, limit=limit, json=json))


async def _tail(output: Output | None, *, from_start: bool, limit: int | None, json: bool) -> int:
    from contextlib import aclosing

    from jiraiya_events.bootstrap import kafka_connection
    from jiraiya_events.cli.record_view import print_record, record_row
    from jiraiya_events.client import follow

    settings = settings_of_this_process()
    log_quietly(settings)
    names = settings.topics.names()
    chosen = (Output.GENERATED, Output.FAILED) if output is None else (output,)
    topics = [names[one] for one in chosen]
    note(f"following {' and '.join(topics)}; Ctrl-C ends it")
    console = out()
    options = kafka_connection(settings).client_options()
    seen = 0
    async with aclosing(follow(options, topics, from_start=from_start)) as records:
        async for record in records:
            if json:
                emit(record_row(record))
            else:
                print_record(console, record)
            seen += 1
            if seen == limit:
                break
    return DONE
