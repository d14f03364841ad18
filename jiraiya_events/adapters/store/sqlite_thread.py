"""One thread that owns one SQLite connection and runs whatever is pending in one transaction.

A hop to a thread and a commit cost far more than the statements between them. While one batch
is at work the next one collects, so the cost of both is shared by every request in flight.

A disk may hang, and another process may hold the file's lock. Nobody waits for that longer than
`WITHIN_S`: what has not begun by then never will; what has may still be carried out, once, when
the thread comes back. There is never a second thread.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

from jiraiya_events.adapters.store.silence import Silence
from jiraiya_events.adapters.store.sqlite_file import BUSY_TIMEOUT_S, connect
from jiraiya_events.domain.errors import StoreUnavailable

WITHIN_S: Final = BUSY_TIMEOUT_S

Operation = Callable[[sqlite3.Connection], Any]
T = TypeVar("T")


class _Locked(StoreUnavailable):
    """Another process held the file's lock for as long as SQLite waits."""


class SqliteThread:
    """Used from one event loop; a failing batch raises `StoreUnavailable` in all its callers."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="result-store")
        self._connection: sqlite3.Connection | None = None
        self._pending: list[tuple[Operation, asyncio.Future[Any]]] = []
        self._running: asyncio.Task[None] | None = None
        self._silence = Silence()
        self._closed = False

    async def run(self, operation: Callable[[sqlite3.Connection], T], *, bounded: bool = True) -> T:
        """Run `operation` in the next transaction and return its result.

        While the file hangs or is locked `StoreUnavailable` is raised at once, but for one in a few
        seconds. What is not `bounded` has no time-out: somebody waits for it who can see how long.
        """
        if self._closed:
            raise self._closed_error()
        loop = asyncio.get_running_loop()
        began, clock = loop.time(), loop.time
        if not self._silence.admits(began):
            raise self._silent()
        future: asyncio.Future[T] = loop.create_future()
        self._pending.append((operation, future))
        if self._running is None:
            self._running = asyncio.create_task(self._run_pending())
        try:
            async with asyncio.timeout(WITHIN_S if bounded else None):
                result = await future
        except (TimeoutError, _Locked):
            self._pending = [waiting for waiting in self._pending if waiting[1] is not future]
            self._silence.timed_out(began, clock())
            raise self._silent() from None
        except StoreUnavailable:
            self._silence.answered(clock())
            raise
        self._silence.answered(clock())
        return result

    async def write_back(self) -> bool:
        """Empty the write-ahead log into the file; False when another process did not let us."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._checkpoint)

    async def aclose(self) -> None:
        """Run what is pending, then close the connection and end the thread.

        A thread that hangs ends by itself when it comes back.
        """
        self._closed = True
        if self._running is not None:
            await asyncio.wait({self._running}, timeout=WITHIN_S)
        hangs, abandoned, self._pending = self._running is not None, self._pending, []
        _resolve([future for _, future in abandoned], self._closed_error())
        disconnected = self._thread.submit(self._disconnect)
        self._thread.shutdown(wait=False)
        if not hangs:
            await asyncio.wrap_future(disconnected)

    async def _run_pending(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._pending:
                batch, self._pending = self._pending, []
                operations = [operation for operation, _ in batch]
                done = await loop.run_in_executor(self._thread, self._transact, operations)
                _resolve([future for _, future in batch], done)
        finally:
            self._running = None

    def _transact(self, operations: list[Operation]) -> list[Any] | StoreUnavailable:
        """Run one batch in the thread; whatever goes wrong undoes all of it."""
        try:
            connection = self._connect()
            connection.execute("BEGIN IMMEDIATE")
            results = [operation(connection) for operation in operations]
            connection.execute("COMMIT")
        except StoreUnavailable as error:
            return error
        except Exception as error:  # noqa: BLE001 - no caller may be left waiting
            if self._give_up(error):
                return _Locked()
            message = (
                f"the result store {self._path} cannot be used ({type(error).__name__}: {error}): "
                "check the disk and the file's permissions, or set JIRAIYA_STORE__URL to another"
            )
            return StoreUnavailable(message)
        return results

    def _checkpoint(self) -> bool:
        # Erased pages stay readable in the log until it is written back.
        try:
            busy, *_ = self._connect().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except (sqlite3.Error, OSError, StoreUnavailable) as error:
            self._give_up(error)
            return False
        return not busy

    def _connect(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = connect(self._path)
        return self._connection

    def _closed_error(self) -> StoreUnavailable:
        return StoreUnavailable(f"the result store {self._path} is closed")

    def _silent(self) -> StoreUnavailable:
        return StoreUnavailable(
            f"the result store {self._path} cannot be used (it did not answer in time): check that "
            "its disk is well and that no other program keeps the file locked"
        )

    def _give_up(self, error: Exception) -> bool:
        """Undo the batch and tell whether the file was locked.

        One that may be broken or gone is opened anew the next time.
        """
        busy = isinstance(error, sqlite3.OperationalError) and "locked" in str(error)
        if self._connection is not None and self._connection.in_transaction:
            try:
                self._connection.execute("ROLLBACK")
            except sqlite3.Error:
                busy = False
        if not busy:
            self._disconnect()
        return busy

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _resolve(futures: list[asyncio.Future[Any]], done: list[Any] | StoreUnavailable) -> None:
    for place, future in enumerate(futures):
        # A cancelled caller no longer waits; what it asked for is done all the same.
        if future.done():
            continue
        if isinstance(done, StoreUnavailable):
            future.set_exception(type(done)(str(done)))
        else:
            future.set_result(done[place])
