"""The server in the service's own event loop: up, down, and a port that is taken."""

import asyncio
import signal
import socket

import aiohttp
import pytest
from fastapi import FastAPI

from jiraiya_events.domain.errors import ServiceError
from jiraiya_events.sidecar.server import SidecarServer


async def test_it_answers_when_started_and_frees_its_port_when_stopped(app: FastAPI) -> None:
    """`start` returns when requests are answered, `stop` when the port is free again."""
    server = SidecarServer(app, host="127.0.0.1", port=0)
    await server.start()
    port = server.port
    url = f"http://127.0.0.1:{port}/health/live"
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        assert answer.status == 200
        assert "server" not in answer.headers
    await server.stop()
    await server.stop()
    with socket.create_server(("127.0.0.1", port)):
        pass


async def test_signals_stay_with_the_service(app: FastAPI) -> None:
    """A drain decides when to stop, so the server must not take SIGTERM for itself."""
    before = (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT))
    server = SidecarServer(app, host="127.0.0.1", port=0)
    await server.start()
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
    await server.stop()


async def test_a_request_under_way_is_finished_before_the_stop(app: FastAPI) -> None:
    """A probe that came in is answered even while the service goes."""
    entered, leave = asyncio.Event(), asyncio.Event()

    @app.get("/slow")
    async def slow() -> str:
        entered.set()
        await leave.wait()
        return "done"

    server = SidecarServer(app, host="127.0.0.1", port=0)
    await server.start()

    async def ask() -> str:
        url = f"http://127.0.0.1:{server.port}/slow"
        async with aiohttp.ClientSession() as http, http.get(url) as answer:
            return str(await answer.json())

    asked = asyncio.create_task(ask())
    await entered.wait()
    stopped = asyncio.create_task(server.stop())
    leave.set()
    assert await asked == "done"
    await stopped


@pytest.mark.parametrize(
    ("host", "setting"),
    [("127.0.0.1", "JIRAIYA_HTTP__PORT"), ("no.such.invalid", "JIRAIYA_HTTP__HOST")],
)
async def test_an_address_that_cannot_be_had_is_one_line_naming_the_setting(
    app: FastAPI, host: str, setting: str
) -> None:
    """A taken port and an unknown host each say what to change."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = SidecarServer(app, host=host, port=taken.getsockname()[1])
        with pytest.raises(ServiceError, match=setting) as refused:
            await server.start()
    assert "\n" not in str(refused.value)
    await server.stop()
