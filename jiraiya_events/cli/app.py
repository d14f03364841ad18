"""The commands, and the entry point `jiraiya`.

`jiraiya --help` must answer at once: modules of commands import nothing but typer and the
standard library at their top, and what a command works with inside of it.
"""

import sys
from typing import Annotated, Final

import typer

from jiraiya_events import __version__
from jiraiya_events.cli import (
    broker_command,
    config_commands,
    demo_command,
    dlq,
    doctor_command,
    document_commands,
    health_command,
    prompt_commands,
    request_command,
    serve_command,
    store_commands,
    tail_command,
    topics_commands,
)
from jiraiya_events.cli.exits import exit_code, reported

HELP: Final = """
Stories from a language model, through Kafka: ordered, exactly once, paid once.

[bold]First steps[/bold]

[cyan]jiraiya demo[/cyan]      see it work; no Kafka, no key, no Docker needed
[cyan]jiraiya broker[/cyan]    an Apache Kafka of your own, on port 9092
[cyan]jiraiya doctor[/cyan]    is everything there? a line each, and how to mend it
[cyan]jiraiya serve[/cyan]     the service
[cyan]jiraiya request dragon moon --wait[/cyan]    one request, and its story

[dim]Settings are environment variables, such as JIRAIYA_KAFKA__BOOTSTRAP_SERVERS and
OPENAI_API_KEY, or lines of .env; jiraiya config show lists them.
Exit codes: 0 done, 1 failed, 2 wrong usage or settings, 130 interrupted.[/dim]
"""

app = typer.Typer(
    name="jiraiya",
    help=HELP,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for group in (
    demo_command,
    serve_command,
    broker_command,
    request_command,
    tail_command,
    doctor_command,
    health_command,
    dlq,
    topics_commands,
    config_commands,
    prompt_commands,
    store_commands,
    document_commands,
):
    group.register(app)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer's callback
    if wanted:
        typer.echo(f"jiraiya {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; ends the process with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a letter shows a question mark, not a traceback.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        app()
    except Exception as error:  # noqa: BLE001 - whatever it is, a person reads it
        reported(error)
        sys.exit(exit_code(error))
