"""`health` against a small HTTP server that answers as a sidecar."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from tests.unit.cli.command_line import jiraiya


class Sidecar(BaseHTTPRequestHandler):
    """Live is well, startup is nonsense, everything else is not ready."""

    answers: ClassVar = {
        "/health/live": (200, b'{"status": "ok", "checks": []}'),
        "/health/startup": (200, b"<html>"),
    }

    def do_GET(self) -> None:
        """Answer."""
        check = {"name": "broker", "status": "failing", "detail": "no answer for 20 s"}
        failing = json.dumps({"status": "failing", "checks": [check]}).encode()
        status, body = self.answers.get(self.path, (503, failing))
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def port() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Sidecar) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield str(server.server_port)
        server.shutdown()
        thread.join()


def test_a_well_service_is_exit_code_0(port: str, tmp_path: Path) -> None:
    """The probe can be chosen; an address to listen on everywhere means this machine."""
    settings = {"JIRAIYA_HTTP__PORT": port, "JIRAIYA_HTTP__HOST": "0.0.0.0"}  # noqa: S104
    ended = jiraiya("health", "live", "--json", cwd=tmp_path, settings=settings)
    assert (ended.code, ended.rows) == (0, [{"status": "ok", "checks": []}])


def test_an_ailing_service_is_exit_code_1(port: str, tmp_path: Path) -> None:
    """The default question is readiness; what ails is said."""
    ended = jiraiya("health", cwd=tmp_path, settings={"JIRAIYA_HTTP__PORT": port})
    assert ended.code == 1
    assert "no answer for 20 s" in ended.out


def test_no_service_is_exit_code_1_with_the_next_step(port: str, tmp_path: Path) -> None:
    """Nobody there, or somebody else."""
    other = jiraiya("health", "startup", cwd=tmp_path, settings={"JIRAIYA_HTTP__PORT": port})
    nobody = jiraiya("health", cwd=tmp_path, settings={"JIRAIYA_HTTP__PORT": "1"})
    for ended in (other, nobody):
        assert ended.code == 1
        assert "jiraiya serve" in ended.err
        assert len(ended.err.splitlines()) == 1
