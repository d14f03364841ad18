"""Pytest plugin: one real `redis-server` a test process, and private ones to break.

`redis_url` is the address of the shared server, emptied before each test that asks for it.
`own_redis` is a server of the test's own, which it may stop and start again. A machine without
`redis-server` fails these tests: nothing is skipped.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.blackbox.service import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_HOST = "127.0.0.1"
_START_TIMEOUT_S = 20.0
_STOP_TIMEOUT_S = 10.0
_STARTS = 5

PATIENCE_S = 30.0


class RedisServer:
    """A server on a free loopback port, which it keeps when it is started again.

    `options` are those of its command line, such as `--requirepass secret`. What it holds is gone
    when it stops.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        """Start nothing yet."""
        self._folder = folder
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """Its address, without credentials."""
        return f"redis://{_HOST}:{self.port}/0"

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        fixed = self.port != 0
        for _ in range(1 if fixed else _STARTS):
            self.port = self.port if fixed else free_port()
            self._process = self._spawn()
            if self._is_ready():
                return
            # Somebody else took the port meanwhile.
            self.stop()
        pytest.fail(f"redis-server did not start:\n{self._log()[-2000:]}")

    def stop(self) -> None:
        """Kill it, as a crash would; harmless when it is not running."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait(_STOP_TIMEOUT_S)

    def command(self, *words: str) -> bytes:
        """Send one command over a connection of its own and return the start of the answer."""
        with closing(socket.create_connection((_HOST, self.port), timeout=_STOP_TIMEOUT_S)) as peer:
            parts = "".join(f"${len(word.encode())}\r\n{word}\r\n" for word in words)
            peer.sendall(f"*{len(words)}\r\n{parts}".encode())
            return peer.recv(65536)

    def _spawn(self) -> subprocess.Popen[bytes]:
        program = shutil.which("redis-server")
        if program is None:
            pytest.fail(
                "redis-server is missing: install it (Debian: apt-get install redis-server)"
            )
        arguments = ["--bind", _HOST, "--port", str(self.port), "--dir", str(self._folder)]
        quiet = ["--save", "", "--appendonly", "no"]
        with (self._folder / "redis.log").open("wb") as log:
            command = [program, *arguments, *quiet, *self._options]
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )

    def _is_ready(self) -> bool:
        process = self._process
        give_up_at = time.monotonic() + _START_TIMEOUT_S
        while process is not None and process.poll() is None and time.monotonic() < give_up_at:
            # Its own words: on the port somebody else might answer.
            if "Ready to accept connections" in self._log():
                return True
            time.sleep(0.02)
        return False

    def _log(self) -> str:
        return (self._folder / "redis.log").read_text(encoding="utf-8", errors="replace")


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Share one server with all tests of this process."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no connection of this process take a server that stands still for one that hangs."""
    # Imported here: a run of other tests loads this plugin too.
    from jiraiya_events.adapters.store import redis_connection  # noqa: PLC0415

    monkeypatch.setattr(redis_connection, "_IN_ALL_S", PATIENCE_S)
    monkeypatch.setattr(redis_connection, "_CONNECT_TIMEOUT_S", PATIENCE_S)


@pytest.fixture
def redis_url(redis_server: RedisServer, patience: None) -> str:
    """Return the address of the shared server, emptied."""
    assert redis_server.command("FLUSHALL").startswith(b"+OK")
    return redis_server.url


@pytest.fixture
def own_redis(tmp_path: Path, patience: None) -> Iterator[RedisServer]:
    """Start a server that the test may break."""
    folder = tmp_path / "own redis"
    folder.mkdir()
    server = RedisServer(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
