"""The sidecar's server, living in the service's own event loop."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Iterator
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from jiraiya_events.domain.errors import ServiceError

MOST_CONNECTIONS: Final = 200
GRACE_S: Final = 3
BACKLOG: Final = 128


class _Quiet(uvicorn.Server):
    """A uvicorn server that leaves signals to the service and says when it is up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()


class SidecarServer:
    """Serves `app` on `host:port`; port 0 takes a free one, `port` then tells which."""

    def __init__(self, app: ASGIApp, *, host: str, port: int) -> None:
        self._app = app
        self._host = host
        self._wanted_port = port
        self._socket: socket.socket | None = None
        self._server: _Quiet | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The port that is listened on; the wanted one before the start."""
        return self._wanted_port if self._socket is None else self._socket.getsockname()[1]

    async def start(self) -> None:
        """Listen, and return when requests are answered.

        Raises:
            ServiceError: the address cannot be had; the message names the setting to change.
        """
        self._socket = _listen(self._host, self._wanted_port)
        self._server = _Quiet(_config(self._app))
        self._task = asyncio.create_task(self._server.serve([self._socket]), name="sidecar")
        up = asyncio.create_task(self._server.up.wait())
        await asyncio.wait((self._task, up), return_when=asyncio.FIRST_COMPLETED)
        if not up.done():
            up.cancel()
            await self._task

    async def stop(self) -> None:
        """Finish the requests under way, for a few seconds at most, and close the port."""
        if self._server is None or self._task is None or self._socket is None:
            return
        self._server.should_exit = True
        await self._task
        self._socket.close()
        self._server = None


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MOST_CONNECTIONS,
        backlog=BACKLOG,
        timeout_graceful_shutdown=GRACE_S,
    )


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise ServiceError(_explain(host, port, error)) from error


def _explain(host: str, port: int, error: OSError) -> str:
    place = f"cannot listen on {host}:{port} for health and metrics"
    if error.errno == errno.EADDRINUSE:
        return f"{place}: another process uses the port; stop it or set JIRAIYA_HTTP__PORT"
    if error.errno == errno.EACCES:
        return f"{place}: not allowed; set JIRAIYA_HTTP__PORT to a port above 1023"
    reason = error.strerror or str(error)
    return f"{place} ({reason}): set JIRAIYA_HTTP__HOST to an address of this machine"
