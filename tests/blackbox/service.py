"""One real service process: started, asked, stopped, killed and frozen by its process id."""

import contextlib
import itertools
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from tests.blackbox.waiting import wait_until

ROOT = Path(__file__).parents[2]
START_S = 45.0
"""Importing LangChain takes seconds of CPU, and a test machine may be busy."""

STOP_S = 40.0
ANSWER_S = 30.0
"""A service that stands still with its machine for a while is not gone."""

PORTS = range(10_000, 20_000)
"""Below those that embedded brokers choose from, and those of outgoing connections: one of them
could have it by the time it is used."""

_BAD_SIGNS = ("Traceback", "never retrieved", "was never awaited", "Unclosed")


class ServiceProcess:
    """A service with settings of its own; its log goes to a file, so nothing ever blocks."""

    def __init__(self, settings: Mapping[str, str], folder: Path, name: str = "service") -> None:
        self.name = name
        self.port = free_port()
        self.settings = {"JIRAIYA_HTTP__PORT": str(self.port), **settings}
        self.expected_to_end_badly = False
        self.program = "jiraiya_events"
        """The module that is run with `serve`: the service, or one of ours that breaks it."""
        self._folder = folder
        self._log = folder / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "ServiceProcess":
        """Start it and return at once."""
        keep = {k: v for k, v in os.environ.items() if k in {"PATH", "HOME", "LANG", "TZ"}}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                (sys.executable, "-m", self.program, "serve"),
                cwd=self._folder,
                env={**keep, "PYTHONPATH": str(ROOT), **self.settings},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return self

    @property
    def pid(self) -> int:
        """Return its process id."""
        return self._running().pid

    @property
    def alive(self) -> bool:
        """Tell whether it runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> str:
        """Return all it has written so far, over all its lives."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def wait_ready(self, timeout_s: float = START_S) -> "ServiceProcess":
        """Wait until `/health/ready` is 200."""

        def ready() -> bool:
            if not self.alive:
                msg = f"{self.name} ended with {self.wait(1)}:\n{self.log[-3000:]}"
                raise AssertionError(msg)
            return self.status("/health/ready") == 200

        wait_until(ready, timeout_s, f"{self.name} is ready:\n{self.log[-3000:]}")
        return self

    def wait_log(self, text: str, timeout_s: float = START_S) -> None:
        """Wait until it has written `text`."""
        wait_until(lambda: text in self.log, timeout_s, f"{self.name} writes {text!r}:\n{self.log}")

    def get(self, path: str) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers (names in lower case) and body of one GET; raises OSError."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_S)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, headers, answer.read()
        finally:
            connection.close()

    def status(self, path: str) -> int:
        """Return the status of one GET, 0 when nobody answers."""
        try:
            return self.get(path)[0]
        except OSError:
            return 0

    def json(self, path: str) -> Any:
        """Return the JSON body of one GET."""
        return json.loads(self.get(path)[2])

    def metric(self, name: str, /, **labels: str) -> float:
        """Return the sum of a metric's samples that have these labels; 0 when there is none."""
        total = 0.0
        for line in self.get("/metrics")[2].decode().splitlines():
            sample, _, value = line.rpartition(" ")
            found, _, rest = sample.partition("{")
            if found == name and all(f'{k}="{v}"' in rest for k, v in labels.items()):
                total += float(value)
        return total

    def state(self) -> str:
        """Return a line for a report: what it works on, as far as it answers."""
        counts = ("jiraiya_waiting", "jiraiya_in_flight", "jiraiya_transactions_total")
        with contextlib.suppress(OSError):
            told = ", ".join(f"{count} {self.metric(count):g}" for count in counts)
            return f"{self.name}: {told}\n"
        return f"{self.name} does not answer\n"

    def send(self, number: signal.Signals) -> None:
        """Send it a signal; one that is gone already is no error."""
        if self.alive:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """`kill -9`, and wait for the end."""
        self.send(signal.SIGKILL)
        self._running().wait(10)

    def terminate(self, timeout_s: float = STOP_S) -> float:
        """SIGTERM; return the seconds it took. Raises AssertionError unless it exits with 0."""
        began = time.monotonic()
        self.send(signal.SIGTERM)
        code = self.wait(timeout_s)
        if code != 0:
            msg = f"{self.name} exited with {code}:\n{self.log[-3000:]}"
            raise AssertionError(msg)
        return time.monotonic() - began

    def wait(self, timeout_s: float) -> int:
        """Return its exit code; raises AssertionError when it does not end."""
        try:
            return self._running().wait(timeout_s)
        except subprocess.TimeoutExpired:
            msg = f"{self.name} did not end within {timeout_s:g} s:\n{self.log[-3000:]}"
            raise AssertionError(msg) from None

    def end(self) -> None:
        """Make sure that it is gone, whatever state it is in."""
        if self.alive:
            self.send(signal.SIGKILL)
            self._running().wait(10)

    def bad_signs(self) -> list[str]:
        """Return lines of its log that no healthy service writes."""
        return [line for line in self.log.splitlines() if any(sign in line for sign in _BAD_SIGNS)]

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            msg = f"{self.name} was not started"
            raise RuntimeError(msg)
        return self._process


def _ports() -> Iterator[int]:
    """Go round this worker's own part of the ports, from anywhere in it."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    own = PORTS[worker :: int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))]
    first = random.randrange(len(own))
    return itertools.cycle((*own[first:], *own[:first]))


_PORTS = _ports()


@contextlib.contextmanager
def refused_port() -> Iterator[int]:
    """Keep a port at which nobody listens, and nobody else can."""
    with socket.socket() as kept:
        kept.bind(("127.0.0.1", 0))
        yield kept.getsockname()[1]


def free_port() -> int:
    """Return a port of the loopback that nobody listens on now, and no other test was given."""
    for port in _PORTS:
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError
