"""`jiraiya health`: asks the sidecar of a running service."""
# ruff: noqa: PLC0415 - each command imports what it works with, so that `--help` is quick

from enum import StrEnum
from typing import Annotated, Any

import typer

from jiraiya_events.cli.exits import FAILED, Failed
from jiraiya_events.cli.output import Json, emit, out
from jiraiya_events.cli.session import settings_of_this_process

TIMEOUT_S = 4.0
COLOURS = {"ok": "green", "degraded": "yellow", "failing": "red"}
LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - listened on, not connected to


class Probe(StrEnum):
    """Which of the three questions."""

    LIVE = "live"
    STARTUP = "startup"
    READY = "ready"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("health")(health)


def health(
    probe: Annotated[Probe, typer.Argument(help="Which question to ask.")] = Probe.READY,
    *,
    json: Json = False,
) -> None:
    """Ask the service that runs here how it is; exit code 1 when it is not well.

    Meant for container health checks. It asks JIRAIYA_HTTP__HOST and JIRAIYA_HTTP__PORT.

    Try: `jiraiya health live`
    """
    settings = settings_of_this_process()
    host = LOOPBACK.get(settings.http.host, settings.http.host)
    status, body = _ask(host, settings.http.port, f"/health/{probe}")
    if json:
        emit(body)
    else:
        _print(body)
    if status != 200:  # noqa: PLR2004 - HTTP's own number
        raise typer.Exit(FAILED)


def _ask(host: str, port: int, path: str) -> tuple[int, dict[str, Any]]:
    import http.client
    import json

    # Without urllib: a proxy of the environment has no business here.
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = json.loads(answer.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        msg = (
            f"no service answers at {host}:{port} ({error}): start it with `jiraiya serve`, or "
            "set JIRAIYA_HTTP__PORT to the port it was given"
        )
        raise Failed(msg) from error
    finally:
        connection.close()
    return answer.status, body


def _print(body: dict[str, Any]) -> None:
    console = out()
    status = body.get("status", "failing")
    console.print(f"[{COLOURS.get(status, 'red')}]{status}[/]")
    for check in body.get("checks", ()):
        colour = COLOURS.get(check["status"], "red")
        console.print(f"  [{colour}]●[/] {check['name']:14} {check['detail']}")
