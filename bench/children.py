"""Child processes that answer in JSON lines on standard output."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import psutil

ROOT = Path(__file__).parent.parent
STOP_PATIENCE_S = 60.0
LONGEST_ANSWER = 16 * 1024 * 1024
"""Bytes; asyncio's own limit of a line is 64 KiB."""
_LAST_WORDS = 2_000


class Child:
    """A running program; its standard error is kept and shown when it fails."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._ps = psutil.Process(process.pid)
        self.pid = process.pid

    def cpu_s(self) -> float:
        """Return the seconds of CPU, user and system, of this process alone."""
        times = self._ps.cpu_times()
        return float(times.user + times.system)

    def rss_mib(self) -> float:
        """Return the resident memory in MiB."""
        return float(self._ps.memory_info().rss) / 1024**2

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    async def kill(self) -> None:
        """`kill -9`, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        await self._process.wait()

    async def ask(self, question: object) -> dict[str, Any]:
        """Send one JSON line and return the line that answers it."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(question).encode() + b"\n")
        await self._process.stdin.drain()
        return await self.answer()

    async def answer(self) -> dict[str, Any]:
        """Return the next line; raises RuntimeError when the program has ended."""
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            msg = "the program ended before it answered"
            raise RuntimeError(msg)
        answer: dict[str, Any] = json.loads(line)
        return answer

    async def stop(self) -> None:
        """Ask it to end, then insist."""
        if self._process.returncode is None:
            self.signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_PATIENCE_S):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Return our environment without settings of the service or of model clients, plus `extra`."""
    foreign = ("JIRAIYA_", "OPENAI_", "OTEL_", "LANGSMITH_", "LANGCHAIN_")
    own = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {**own, **extra}


@asynccontextmanager
async def child(
    module: str, arguments: Sequence[str] = (), settings: Mapping[str, str] | None = None
) -> AsyncIterator[Child]:
    """Run `python -m module`, from the project's folder, for as long as the block lasts."""
    with TemporaryFile() as errors:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", module, *arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            limit=LONGEST_ANSWER,
            cwd=ROOT,
            env=environment(settings or {}),
        )
        running = Child(process)
        try:
            yield running
        except Exception as error:
            errors.seek(0)
            error.add_note(f"{module}: {errors.read()[-_LAST_WORDS:].decode(errors='replace')}")
            raise
        finally:
            await running.stop()
