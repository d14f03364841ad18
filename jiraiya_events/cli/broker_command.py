"""`jiraiya broker`: the embedded Apache Kafka alone."""
# ruff: noqa: PLC0415 - each command imports what it works with, so that `--help` is quick

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jiraiya_events.cli.exits import DONE, Failed
from jiraiya_events.cli.output import Json, emit, err, note
from jiraiya_events.cli.session import log_quietly, run, settings_of_this_process

if TYPE_CHECKING:
    from jiraiya_events.adapters.embedded import EmbeddedKafka

DEFAULT_PORT = 9092


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("broker")(broker)


def broker(
    *,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            "--data-dir",
            help="Keep topics in this folder; without it they are gone at the end.",
            file_okay=False,
        ),
    ] = None,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one.")
    ] = DEFAULT_PORT,
    json: Json = False,
) -> None:
    """Run a real Apache Kafka on this machine until Ctrl-C; no Docker, no installed Java.

    The first run downloads it (45 MB, checked by hash) into the user's cache folder.

    Try: `jiraiya broker --data-dir ./kafka` and, elsewhere, `jiraiya doctor`
    """
    run(_broker(data_dir, port, json=json))


async def _broker(data_dir: Path | None, port: int, *, json: bool) -> int:
    from jiraiya_events.adapters.embedded import (
        EmbeddedKafka,
        EmbeddedKafkaError,
        EmbeddedKafkaOptions,
    )
    from jiraiya_events.cli.progress import starting
    from jiraiya_events.cli.serve_command import stop_on_signals

    settings = settings_of_this_process()
    log_quietly(settings)
    repository = settings.broker.repository_url
    stopping = asyncio.Event()
    stop_on_signals(stopping)
    try:
        options = EmbeddedKafkaOptions(data_dir=data_dir, port=port, repository_url=repository)
        with starting(err()) as tell:
            kafka = EmbeddedKafka(options, on_progress=tell)
            started = await _start_unless_stopped(kafka, stopping)
        if not started:
            return DONE
        if json:
            emit({"bootstrap_servers": kafka.bootstrap_servers, "log": str(kafka.log_path)})
        _announce(kafka.bootstrap_servers, str(kafka.log_path), data_dir)
        return await _watch(kafka, stopping)
    except EmbeddedKafkaError as error:
        raise Failed(str(error)) from error


async def _start_unless_stopped(kafka: "EmbeddedKafka", stopping: asyncio.Event) -> bool:
    """Start the broker; return False when a signal came first."""
    starting = asyncio.ensure_future(kafka.start())
    stopped = asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait({starting, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            await starting
            return True
        return False
    finally:
        stopped.cancel()
        starting.cancel()
        await asyncio.gather(starting, stopped, return_exceptions=True)


async def _watch(kafka: "EmbeddedKafka", stopping: asyncio.Event) -> int:
    """Wait for the end; an end of the broker's own is a failure."""
    exited = asyncio.ensure_future(kafka.wait_exited())
    stopped = asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait({exited, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if exited.done():
            msg = f"the broker ended by itself (exit code {exited.result()})"
            raise Failed(msg)
        note("stopping …")
    finally:
        for task in (exited, stopped):
            task.cancel()
        await asyncio.gather(exited, stopped, return_exceptions=True)
        await kafka.stop()
    return DONE


def _announce(address: str, log: str, data_dir: Path | None) -> None:
    kept = f"kept in {data_dir}" if data_dir else "gone when it stops (--data-dir keeps them)"
    console = err()
    console.print(f"\n[green]●[/] Apache Kafka answers at [bold]{address}[/]")
    console.print(f"  topics   {kept}", markup=False, soft_wrap=True)
    console.print(f"  its log  {log}", markup=False, soft_wrap=True)
    console.print("\n  Elsewhere:")
    console.print(f"    export JIRAIYA_KAFKA__BOOTSTRAP_SERVERS={address}", style="cyan")
    console.print("    jiraiya serve", style="cyan")
    console.print("\n  Ctrl-C stops it.", style="dim")
