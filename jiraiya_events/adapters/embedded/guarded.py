"""Our side of the guard: a child process that cannot outlive us."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING

from jiraiya_events.adapters.embedded import guard
from jiraiya_events.adapters.embedded.errors import EmbeddedKafkaError

if TYPE_CHECKING:
    from collections.abc import Sequence

# Options a user set for other Java programs must not leak into the broker's JVM.
_FOREIGN_SETTINGS = ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "CLASSPATH")


class GuardedProcess:
    """A running command with its guard; made by `spawn`."""

    def __init__(self, guard_process: asyncio.subprocess.Process, pid: int) -> None:
        """Watch the guard's reports from now on."""
        self._guard = guard_process
        self._command_pid = pid
        self._exited = asyncio.create_task(self._wait())

    @property
    def pid(self) -> int | None:
        """The command's process id (not the guard's); ``None`` once it has exited."""
        return None if self._exited.done() else self._command_pid

    async def wait(self) -> int:
        """Wait for the command to exit; negative when a signal ended it."""
        return await asyncio.shield(self._exited)

    async def terminate(self, patience_s: float) -> int:
        """Ask the command to stop, and kill it when that takes too long."""
        self._order(b"t")
        try:
            async with asyncio.timeout(patience_s):
                return await self.wait()
        except TimeoutError:
            return await self.kill()

    async def kill(self) -> int:
        """Kill the command at once."""
        self._order(b"k")
        return await self.wait()

    def _order(self, order: bytes) -> None:
        pipe = self._guard.stdin
        if pipe is not None and not self._exited.done():
            pipe.write(order)

    async def _wait(self) -> int:
        # A guard that ends without a report was killed, and took the command with it.
        code = -int(getattr(signal, "SIGKILL", signal.SIGTERM))
        try:
            while report := await _next_report(self._guard):
                if report.startswith("exited "):
                    code = int(report.removeprefix("exited "))
        finally:
            # Also when we are cancelled, because the event loop ends before the command does.
            await _close(self._guard)
        return code


async def spawn(
    command: Sequence[str],
    *,
    folder: Path,
    log: Path,
    remove_when_abandoned: Path | None = None,
    low_priority: bool = False,
) -> GuardedProcess:
    """Start ``command`` in ``folder`` under a guard, its output appended to ``log``.

    ``remove_when_abandoned`` is deleted when our process ends without having stopped it.

    Raises:
        EmbeddedKafkaError: the command could not be started.
    """
    options = [guard.LOW_PRIORITY] if low_priority else []
    if remove_when_abandoned is not None:
        options.append(f"{guard.REMOVE}{remove_when_abandoned}")
    with _open_log(log) as log_file:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-I", "-S", str(Path(guard.__file__)), *options, "--", *command),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log_file,
            cwd=folder,
            env=_environment(),
        )
    try:
        pid = await _command_pid(process, command[0], log)
    except BaseException:
        await _close(process)
        raise
    return GuardedProcess(process, pid)


async def _command_pid(process: asyncio.subprocess.Process, name: str, log: Path) -> int:
    report = await _next_report(process)
    if not report.startswith("started "):
        reason = report.removeprefix("failed ") or f"its guard ended, see {log}"
        message = f"{name} could not be started: {reason}."
        raise EmbeddedKafkaError(message)
    return int(report.removeprefix("started "))


async def _close(process: asyncio.subprocess.Process) -> None:
    """Wait for a guard's end, which the end of its input brings about, and close its pipes."""
    if process.stdin is not None:
        process.stdin.close()
    await process.wait()
    if process.stdin is not None:
        with contextlib.suppress(ConnectionError):
            await process.stdin.wait_closed()


async def _next_report(process: asyncio.subprocess.Process) -> str:
    if process.stdout is None:
        return ""
    return (await process.stdout.readline()).decode(errors="replace").strip()


def _open_log(log: Path) -> IO[bytes]:
    # Appending: the JVM and its guard share the descriptor, and earlier runs stay readable.
    return log.open("ab")


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _FOREIGN_SETTINGS}
    if sys.platform == "linux":
        # Under LANG=C the JVM can open no file whose path is not ASCII.
        kept["LC_ALL"] = "C.UTF-8"
    return kept
