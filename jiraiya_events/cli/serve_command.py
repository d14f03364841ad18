"""`jiraiya serve`: the service."""
# ruff: noqa: PLC0415 - each command imports what it works with, so that `--help` is quick

import asyncio
import os
import signal
from collections.abc import Callable

import typer

from jiraiya_events.cli.exits import DONE, INTERRUPTED
from jiraiya_events.cli.session import run, settings_of_this_process

TERMINATED = 128 + signal.SIGTERM


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve")(serve)


def serve() -> None:
    """Run the service: read requests, publish stories, answer probes.

    SIGTERM or Ctrl-C drains: running requests are finished and committed, then it ends with 0.
    A second one ends it at once; nothing is lost by that, only work.

    Try: `JIRAIYA_KAFKA__BOOTSTRAP_SERVERS=localhost:9092 OPENAI_API_KEY=... jiraiya serve`
    """
    run(_serve(), loop_factory=fastest_loop())


async def _serve() -> int:
    from jiraiya_events.adapters.telemetry.logs import configure_logs
    from jiraiya_events.bootstrap import build_service
    from jiraiya_events.settings import secret_values

    settings = settings_of_this_process()
    log = settings.log
    configure_logs(level=log.level, style=log.format, secrets=secret_values(settings))
    stopping = asyncio.Event()
    stop_on_signals(stopping)
    await build_service(settings).run(stopping)
    return DONE


def fastest_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's event loop where there is one; it halves the CPU of a model call."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def stop_on_signals(stopping: asyncio.Event) -> None:
    """Set `stopping` at the first SIGTERM or SIGINT; end the process at the second."""

    def heard(number: signal.Signals) -> None:
        if stopping.is_set():
            os._exit(INTERRUPTED if number is signal.SIGINT else TERMINATED)
        stopping.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, heard, number)
