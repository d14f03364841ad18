"""`jiraiya demo`: everything at once, on this machine."""
# ruff: noqa: PLC0415 - each command imports what it works with, so that `--help` is quick

from typing import Annotated

import typer

from jiraiya_events.cli.session import run

DEFAULT_REQUESTS = 12
MOST_REQUESTS = 1000


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


def demo(
    *,
    requests: Annotated[
        int,
        typer.Option("--requests", "-n", min=1, max=MOST_REQUESTS, help="How many to publish."),
    ] = DEFAULT_REQUESTS,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave all running afterwards, until Ctrl-C.")
    ] = False,
) -> None:
    """Watch stories arrive through a real Apache Kafka; needs no Docker, no Java and no key.

    Starts a broker, the service and, unless OPENAI_API_KEY or a base URL is set, a stand-in
    model; publishes requests (some of them broken on purpose) and ends by itself. Nothing is
    left running, no file stays behind but the downloaded broker.

    Try: `jiraiya demo --requests 40`
    """
    from jiraiya_events.cli.demo.play import play
    from jiraiya_events.cli.serve_command import fastest_loop

    run(play(requests, keep=keep), loop_factory=fastest_loop())
