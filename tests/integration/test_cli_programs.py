"""`demo` and `broker` as programs: how they end, and that nothing of them stays."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.blackbox.service import free_port
from tests.blackbox.waiting import wait_until
from tests.unit.cli.command_line import environment, jiraiya


@contextmanager
def program(
    *arguments: str, folder: Path, settings: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Start `jiraiya …` with its temporary files in `folder`; its output goes to `folder/out`."""
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    with (folder / "out").open("w") as out:
        running = subprocess.Popen(
            [sys.executable, "-m", "jiraiya_events", *arguments],
            cwd=folder,
            env=environment({"TMPDIR": str(temporary), **(settings or {})}),
            stdout=out,
            stderr=out,
            text=True,
        )
    try:
        yield running
    finally:
        running.kill()
        running.wait()


def said(folder: Path) -> str:
    return (folder / "out").read_text()


def wait_said(text: str, running: subprocess.Popen[str], folder: Path) -> None:
    def there() -> bool:
        assert running.poll() is None or text in said(folder), said(folder)
        return text in said(folder)

    wait_until(there, 60, f"it says {text!r}")


def test_the_demo_ends_by_itself_and_leaves_nothing(tmp_path: Path) -> None:
    """Exit code 0, a story or a clear failure for everything, no process and no file after it."""
    with program("demo", "--requests", "6", folder=tmp_path) as running:
        wait_said("asked", running, tmp_path)
        family = psutil.Process(running.pid).children(recursive=True)
        assert family
        assert running.wait(60) == 0, said(tmp_path)
    assert "4 stories and 2 clear failures for 6 requests" in said(tmp_path)
    assert "Traceback" not in said(tmp_path)
    assert list((tmp_path / "tmp").iterdir()) == []
    psutil.wait_procs(family, timeout=20)
    assert not [member for member in family if member.is_running()]


def test_an_interrupted_demo_cleans_up(tmp_path: Path) -> None:
    """Exit code 130, and nothing is left running."""
    with program("demo", "--requests", "200", folder=tmp_path) as running:
        wait_said("asked", running, tmp_path)
        family = psutil.Process(running.pid).children(recursive=True)
        running.send_signal(signal.SIGINT)
        assert running.wait(60) == 130, said(tmp_path)
    assert "Traceback" not in said(tmp_path)
    assert list((tmp_path / "tmp").iterdir()) == []
    psutil.wait_procs(family, timeout=20)
    assert not [member for member in family if member.is_running()]


def test_a_kept_demo_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    """Its broker takes requests of others, its sidecar answers."""
    settings = {"JIRAIYA_HTTP__PORT": str(free_port())}
    with program("demo", "-n", "1", "--keep", folder=tmp_path, settings=settings) as running:
        wait_said("Kept running", running, tmp_path)
        found = re.search(r"Kafka at (\S+),", said(tmp_path))
        assert found
        theirs = settings | {"JIRAIYA_KAFKA__BOOTSTRAP_SERVERS": found[1]}
        assert jiraiya("health", cwd=tmp_path, settings=theirs).code == 0
        told = jiraiya("request", "moon", "--wait", cwd=tmp_path, settings=theirs)
        assert told.code == 0, told.err
        running.send_signal(signal.SIGINT)
        assert running.wait(60) == 0, said(tmp_path)


def test_the_broker_keeps_its_topics_where_it_is_told_to(tmp_path: Path) -> None:
    """Two lives of one data folder; Ctrl-C is its ordinary end."""
    port = str(free_port())
    settings = {"JIRAIYA_KAFKA__BOOTSTRAP_SERVERS": f"127.0.0.1:{port}"}
    data = str(tmp_path / "data")
    for planned in (7, 0):
        with program("broker", "--data-dir", data, "--port", port, folder=tmp_path) as running:
            wait_said(f"answers at 127.0.0.1:{port}", running, tmp_path)
            plan = jiraiya("topics", "plan", "--json", cwd=tmp_path, settings=settings)
            assert len(plan.rows) == planned
            jiraiya("topics", "apply", cwd=tmp_path, settings=settings)
            running.send_signal(signal.SIGINT)
            assert running.wait(60) == 0, said(tmp_path)


def test_a_taken_port_is_one_line(tmp_path: Path, kafka_bootstrap: str) -> None:
    """It names the port and another way."""
    port = kafka_bootstrap.rpartition(":")[2]
    ended = jiraiya("broker", "--port", port, cwd=tmp_path)
    assert ended.code == 1
    (line,) = [line for line in ended.err.splitlines() if line.startswith("error")]
    assert port in line


def test_a_broker_that_dies_is_a_failure(tmp_path: Path) -> None:
    """The command does not pretend that all is well."""
    with program("broker", "--port", "0", folder=tmp_path) as running:
        wait_said("answers at", running, tmp_path)
        family = psutil.Process(running.pid).children(recursive=True)
        (java,) = [member for member in family if member.name() == "java"]
        os.kill(java.pid, signal.SIGKILL)
        assert running.wait(60) == 1
    assert "ended by itself" in said(tmp_path)
