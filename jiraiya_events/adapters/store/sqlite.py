"""The result store in one SQLite file, which several processes may share."""

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from jiraiya_events.adapters.store import sqlite_ended, sqlite_leases
from jiraiya_events.adapters.store.rows import read
from jiraiya_events.adapters.store.sqlite_thread import SqliteThread
from jiraiya_events.domain.clock import Clock, SystemClock
from jiraiya_events.domain.identity import RequestIdentity
from jiraiya_events.domain.outcome import Outcome, StoryFailed, StoryGenerated
from jiraiya_events.generation.paid import PaidAnswer
from jiraiya_events.generation.result_store import Lease, Stored

_PRUNE_EVERY_S: Final = 30.0

_DROP_OUTCOMES = "DELETE FROM outcomes WHERE source = ? AND id = ?"
_CLAIM = "INSERT OR IGNORE INTO requests VALUES (?, ?, ?, ?, NULL, ?)"
_CLAIMED = "SELECT fingerprint, answer, expires_at FROM requests WHERE source = ? AND id = ?"
_OUTCOME = "SELECT generated, body FROM outcomes WHERE source = ? AND id = ? AND attempt = ?"
_KEEP = "UPDATE requests SET expires_at = ? WHERE source = ? AND id = ?"
_KEEP_ANSWER = "UPDATE requests SET answer = ?, expires_at = ? WHERE source = ? AND id = ?"
_ADD_OUTCOME = "INSERT OR IGNORE INTO outcomes VALUES (?, ?, ?, ?, ?)"
_REPLACE = """UPDATE requests SET fingerprint = ?, user_id = ?, expires_at = ?
    WHERE source = ? AND id = ? AND fingerprint <> ? AND answer IS NULL AND NOT EXISTS
    (SELECT 1 FROM outcomes WHERE source = ? AND id = ? AND attempt = ?)"""
_PAID = "SELECT 1 FROM requests WHERE source = ? AND id = ? AND answer NOT NULL AND expires_at > ?"
_OF_USER = "SELECT source, id FROM requests WHERE user_id = ?"
_DROP_REQUEST = "DELETE FROM requests WHERE source = ? AND id = ?"


class SqliteStore:
    """Statements for the thread; everything that needs no database happens outside of it."""

    def __init__(self, thread: SqliteThread, ttl_s: float, clock: Clock | None = None) -> None:
        self._thread = thread
        self._ttl_s = ttl_s
        self._clock = clock or SystemClock()
        self._prune_at = 0.0

    async def look_up(
        self,
        identity: RequestIdentity,
        fingerprint: str,
        user_id: str | None,
        lease: Lease | None = None,
    ) -> Stored:
        """Claim the identity for this body and return what is stored for it."""

        def operation(connection: sqlite3.Connection) -> tuple[bool, Any, Any, bool, bool]:
            # Read here: a lease must not have begun while its look-up waited for its turn.
            now = self._clock.now()
            self._prune(connection, now)
            mine, answer, known = self._claim(connection, identity, fingerprint, user_id, now)
            if not mine:
                return True, None, None, False, known
            where = (identity.source, identity.id, identity.attempt)
            outcome = connection.execute(_OUTCOME, where).fetchone()
            if outcome is not None or lease is None or sqlite_leases.grant(connection, lease, now):
                return False, outcome, answer, False, known
            return False, None, None, True, known

        conflict, outcome, answer, busy, known = await self._thread.run(operation)
        return Stored(conflict, _outcome(outcome), read(PaidAnswer, answer), busy, known)

    async def replace_body(
        self, identity: RequestIdentity, fingerprint: str, user_id: str | None
    ) -> None:
        """Let another body take the first one's place, unless something is kept that is its."""
        key = (identity.source, identity.id)
        until = self._clock.now() + self._ttl_s
        row = (fingerprint, user_id, until, *key, fingerprint, *key, identity.attempt)

        def operation(connection: sqlite3.Connection) -> None:
            if connection.execute(_REPLACE, row).rowcount:
                connection.execute(_DROP_OUTCOMES, key)

        await self._thread.run(operation)

    async def is_paid(self, identity: RequestIdentity) -> bool:
        """Tell whether an answer is kept."""
        row = (identity.source, identity.id, self._clock.now())
        found = await self._thread.run(lambda connection: connection.execute(_PAID, row).fetchone())
        return found is not None

    async def save_answer(
        self, identity: RequestIdentity, fingerprint: str, user_id: str | None, answer: PaidAnswer
    ) -> None:
        """Keep a paid answer; the latest replaces the one before."""
        body = answer.model_dump_json()
        now = self._clock.now()

        def operation(connection: sqlite3.Connection) -> None:
            if self._claim(connection, identity, fingerprint, user_id, now)[0]:
                row = (body, now + self._ttl_s, identity.source, identity.id)
                connection.execute(_KEEP_ANSWER, row)

        await self._thread.run(operation)

    async def save_outcome(
        self,
        identity: RequestIdentity,
        fingerprint: str,
        user_id: str | None,
        outcome: Outcome,
        lease: Lease | None = None,
    ) -> Outcome:
        """Keep how an attempt ended and return what counts: the first outcome stays."""
        body = outcome.model_dump_json()
        generated = isinstance(outcome, StoryGenerated)
        now = self._clock.now()

        def operation(connection: sqlite3.Connection) -> Any:  # noqa: ANN401 - a row
            if lease is not None:
                sqlite_leases.release(connection, lease)
            if not self._claim(connection, identity, fingerprint, user_id, now)[0]:
                return None
            key = (identity.source, identity.id)
            row = (*key, identity.attempt, generated, body)
            added = connection.execute(_ADD_OUTCOME, row).rowcount
            connection.execute(_KEEP, (now + self._ttl_s, *key))
            return None if added else connection.execute(_OUTCOME, row[:3]).fetchone()

        return _outcome(await self._thread.run(operation)) or outcome

    async def renew(self, leases: Sequence[Lease]) -> None:
        """Prolong those that have not ended and are still their owners'."""
        await self._thread.run(
            lambda connection: sqlite_leases.renew(connection, leases, self._clock.now())
        )

    async def release(self, lease: Lease) -> None:
        """End the lease now if it is still its owner's."""
        await self._thread.run(lambda connection: sqlite_leases.release(connection, lease))

    async def forget(self, user_id: str) -> int:
        """Erase everything stored for a user; return how many requests that were."""
        return await self._thread.run(
            lambda connection: _forget(connection, user_id), bounded=False
        )

    async def ping(self) -> None:
        """Raise `StoreUnavailable` unless something can be written."""
        await self._thread.run(sqlite_leases.touch)

    async def aclose(self) -> None:
        """Finish what is under way and close the file, also for others of its thread."""
        await self._thread.aclose()

    def _claim(
        self,
        connection: sqlite3.Connection,
        identity: RequestIdentity,
        fingerprint: str,
        user_id: str | None,
        now: float,
    ) -> tuple[bool, str | None, bool]:
        """Return whether the identity is ours, its paid answer, and whether it was known."""
        key = (identity.source, identity.id)
        row = connection.execute(_CLAIMED, key).fetchone()
        if row is not None and row[2] <= now:
            _drop(connection, key)
            row = None
        if row is None:
            connection.execute(_CLAIM, (*key, fingerprint, user_id, now + self._ttl_s))
            return True, None, False
        return row[0] == fingerprint, row[1], True

    def _prune(self, connection: sqlite3.Connection, now: float) -> None:
        """Drop a little of what has ended now and then, more often while there is much."""
        if now >= self._prune_at:
            more = sqlite_ended.prune(connection, now)
            self._prune_at = now if more else now + _PRUNE_EVERY_S


def _drop(connection: sqlite3.Connection, key: tuple[str, str]) -> None:
    connection.execute(_DROP_OUTCOMES, key)
    connection.execute(_DROP_REQUEST, key)


def _forget(connection: sqlite3.Connection, user_id: str) -> int:
    keys = connection.execute(_OF_USER, (user_id,)).fetchall()
    for key in keys:
        _drop(connection, key)
        sqlite_leases.drop(connection, key)
    return len(keys)


def _outcome(row: tuple[int, str] | None) -> Outcome | None:
    if row is None:
        return None
    generated, body = row
    return read(StoryGenerated, body) if generated else read(StoryFailed, body)
