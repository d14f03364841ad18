"""The response cache in the result store's SQLite file."""

import sqlite3
from typing import Final

from jiraiya_events.adapters.store.rows import read
from jiraiya_events.adapters.store.sqlite_thread import SqliteThread
from jiraiya_events.domain.clock import Clock, SystemClock
from jiraiya_events.generation.paid import PaidAnswer

_FIND: Final = "SELECT answer FROM cached_answers WHERE key = ? AND expires_at > ?"
_KEEP: Final = "INSERT OR REPLACE INTO cached_answers VALUES (?, ?, ?, ?)"
_FORGET: Final = "DELETE FROM cached_answers WHERE user_id = ?"


class SqliteCache:
    """Statements for the thread, which is the result store's: it prunes and closes."""

    def __init__(self, thread: SqliteThread, cache_s: float, clock: Clock | None = None) -> None:
        self._thread = thread
        self._cache_s = cache_s
        self._clock = clock or SystemClock()

    async def find(self, key: str) -> PaidAnswer | None:
        """Return the answer kept under a key, None when there is none or it has ended."""
        row = (key, self._clock.now())
        found = await self._thread.run(lambda connection: connection.execute(_FIND, row).fetchone())
        return None if found is None else read(PaidAnswer, found[0])

    async def keep(self, key: str, user_id: str | None, answer: PaidAnswer) -> None:
        """Keep an answer; the latest replaces the one before."""
        row = (key, user_id, answer.model_dump_json(), self._clock.now() + self._cache_s)
        await self._thread.run(lambda connection: connection.execute(_KEEP, row))

    async def forget(self, user_id: str) -> int:
        """Erase the answers a user paid for; return how many."""

        def operation(connection: sqlite3.Connection) -> int:
            return connection.execute(_FORGET, (user_id,)).rowcount

        return await self._thread.run(operation, bounded=False)
