"""What has ended in the SQLite file, dropped bit by bit, whichever features are switched on.

The result store is looked into for every request, so it prunes for all tables: a cache or a
budget that was switched off would never drop its own rows.
"""

import sqlite3
from typing import Final

from jiraiya_events.adapters.store import sqlite_leases
from jiraiya_events.generation.budgets import day_of

_AT_ONCE: Final = 100

_OUTCOMES: Final = """DELETE FROM outcomes WHERE (source, id) IN
    (SELECT source, id FROM requests WHERE expires_at <= ? ORDER BY expires_at, rowid LIMIT ?)"""
_REQUESTS: Final = """DELETE FROM requests WHERE rowid IN
    (SELECT rowid FROM requests WHERE expires_at <= ? ORDER BY expires_at, rowid LIMIT ?)"""
_ANSWERS: Final = """DELETE FROM cached_answers WHERE rowid IN
    (SELECT rowid FROM cached_answers WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)"""
_SUMS: Final = ("DELETE FROM spent WHERE day < ?", "DELETE FROM reserved WHERE day < ?")


def prune(connection: sqlite3.Connection, now: float) -> bool:
    """Drop some of what has ended by `now` (Unix epoch, seconds); tell whether there is more."""
    some = (now, _AT_ONCE)
    connection.execute(_OUTCOMES, some)
    requests = connection.execute(_REQUESTS, some).rowcount
    answers = connection.execute(_ANSWERS, some).rowcount
    sqlite_leases.prune(connection, now)
    # The day before stays for calls that end after midnight.
    for statement in _SUMS:
        connection.execute(statement, (day_of(now) - 1,))
    return _AT_ONCE in (requests, answers)
