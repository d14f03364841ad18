"""The SQLite file behind the result store: how it is opened, its tables, their version."""

import os
import sqlite3
from pathlib import Path
from typing import Final

from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random

from jiraiya_events.adapters.store import sqlite_leases
from jiraiya_events.domain.errors import StoreUnavailable

SCHEMA_VERSION: Final = 1
BUSY_TIMEOUT_S: Final = 3.0
"""How long another process's transaction is waited for."""

_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)",
    """CREATE TABLE IF NOT EXISTS requests (
        source TEXT NOT NULL, id TEXT NOT NULL, fingerprint TEXT NOT NULL, user_id TEXT,
        answer TEXT, expires_at REAL NOT NULL, PRIMARY KEY (source, id)
    )""",
    """CREATE TABLE IF NOT EXISTS outcomes (
        source TEXT NOT NULL, id TEXT NOT NULL, attempt INTEGER NOT NULL,
        generated INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (source, id, attempt)
    )""",
    "CREATE INDEX IF NOT EXISTS requests_by_end ON requests (expires_at)",
    sqlite_leases.TABLE,
    # Tables that came later are made when they are missing, and older releases leave them alone.
    """CREATE TABLE IF NOT EXISTS cached_answers (
        key TEXT PRIMARY KEY, user_id TEXT, answer TEXT NOT NULL, expires_at REAL NOT NULL
    )""",
    "CREATE INDEX IF NOT EXISTS cached_answers_by_end ON cached_answers (expires_at)",
    """CREATE TABLE IF NOT EXISTS spent (
        day INTEGER NOT NULL, account TEXT NOT NULL, pico_usd INTEGER NOT NULL,
        PRIMARY KEY (day, account)
    ) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS reserved (
        day INTEGER NOT NULL, key TEXT NOT NULL, pico_usd INTEGER NOT NULL,
        PRIMARY KEY (day, key)
    ) WITHOUT ROWID""",
)


def connect(path: Path) -> sqlite3.Connection:
    """Open the file, making it and its folder when missing, readable by its owner only.

    Raises `sqlite3.Error` or `OSError`; `StoreUnavailable` when a newer release wrote it.
    """
    _create_private(path)
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
    try:
        # WAL with NORMAL survives the death of the process; only a power cut may lose the
        # last transactions, and the store is there to save money, not to be the truth.
        _switch_to_wal(connection)
        connection.execute("PRAGMA synchronous=NORMAL")
        # What a user asks us to erase must not linger in free pages.
        connection.execute("PRAGMA secure_delete=ON")
        _migrate(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Switch the file to write-ahead logging, a lasting property of it.

    Of several processes that open a new file at once all but one are told "locked" here,
    without the busy time-out being waited for.
    """
    for attempt in Retrying(
        retry=retry_if_exception_type(sqlite3.OperationalError),
        stop=stop_after_delay(BUSY_TIMEOUT_S),
        wait=wait_random(0, 0.05),
        reraise=True,
    ):
        with attempt:
            connection.execute("PRAGMA journal_mode=WAL")


def _create_private(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # SQLite gives its journal files the mode of the file itself.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for statement in _TABLES:
        connection.execute(statement)
    row = connection.execute("SELECT version FROM schema_version").fetchone()
    if row is None:
        connection.execute("INSERT INTO schema_version VALUES (?)", (SCHEMA_VERSION,))
    connection.execute("COMMIT")
    if row is not None and row[0] > SCHEMA_VERSION:
        message = (
            f"the result store {path} was written by a newer release (schema {row[0]}, this one "
            f"reads {SCHEMA_VERSION}): upgrade, or set JIRAIYA_STORE__URL to another file"
        )
        raise StoreUnavailable(message)
