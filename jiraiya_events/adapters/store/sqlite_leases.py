"""The leases in the SQLite file: one row for each call under way.

A table of their own, so that a release that knows no leases can go on using the file beside one
that does. They end by the wall clock, which all processes of a machine share; the file may not
be shared between machines anyway.
"""

import sqlite3
from collections.abc import Sequence
from typing import Final

from jiraiya_events.generation.result_store import Lease

TABLE: Final = """CREATE TABLE IF NOT EXISTS leases (
    source TEXT NOT NULL, id TEXT NOT NULL, owner TEXT NOT NULL, ends_at REAL NOT NULL,
    PRIMARY KEY (source, id)
) WITHOUT ROWID"""

_GRANT: Final = """INSERT INTO leases VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE
    SET owner = excluded.owner, ends_at = excluded.ends_at
    WHERE ends_at <= ? OR owner = excluded.owner"""
_RENEW: Final = """UPDATE leases SET ends_at = ?
    WHERE source = ? AND id = ? AND owner = ? AND ends_at > ?"""
_RELEASE: Final = "DELETE FROM leases WHERE source = ? AND id = ? AND owner = ?"
_DROP: Final = "DELETE FROM leases WHERE source = ? AND id = ?"
_PRUNE: Final = "DELETE FROM leases WHERE ends_at <= ?"
_TOUCH: Final = "INSERT INTO leases VALUES ('', '', '', 0)"


def grant(connection: sqlite3.Connection, lease: Lease, now: float) -> bool:
    """Take the lease unless it is another owner's and has not ended by `now`; tell whether."""
    row = (lease.identity.source, lease.identity.id, lease.owner, now + lease.seconds, now)
    return connection.execute(_GRANT, row).rowcount == 1


def renew(connection: sqlite3.Connection, leases: Sequence[Lease], now: float) -> None:
    """Prolong those that have not ended by `now` and are still their owners'."""
    rows = [
        (now + lease.seconds, lease.identity.source, lease.identity.id, lease.owner, now)
        for lease in leases
    ]
    connection.executemany(_RENEW, rows)


def release(connection: sqlite3.Connection, lease: Lease) -> None:
    """End the lease if it is still its owner's."""
    row = (lease.identity.source, lease.identity.id, lease.owner)
    connection.execute(_RELEASE, row)


def drop(connection: sqlite3.Connection, key: tuple[str, str]) -> None:
    """Forget whoever owns the lease of this (source, id)."""
    connection.execute(_DROP, key)


def prune(connection: sqlite3.Connection, now: float) -> None:
    """Drop what crashed owners left behind."""
    connection.execute(_PRUNE, (now,))


def touch(connection: sqlite3.Connection) -> None:
    """Write, and leave nothing behind; SQLite would not write what is there already."""
    connection.execute(_TOUCH)
    drop(connection, ("", ""))
