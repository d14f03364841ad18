"""The sums in the result store's SQLite file, which several processes may share.

Each batch of the store's thread is one IMMEDIATE transaction: nobody else writes between the look
at a sum and its change.
"""

import sqlite3
from typing import Final

from jiraiya_events.adapters.store.sqlite_thread import SqliteThread
from jiraiya_events.generation.budgets import Budgets, accounts, day_of, over_budget
from jiraiya_events.generation.spending import OverBudget, Reservation

_SUM: Final = "SELECT pico_usd FROM spent WHERE day = ? AND account = ?"
_ADD: Final = """INSERT INTO spent VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET pico_usd = pico_usd + excluded.pico_usd"""
_RESERVE: Final = "INSERT INTO reserved VALUES (?, ?, ?)"
_RESERVED: Final = "SELECT pico_usd FROM reserved WHERE day = ? AND key = ?"
_RELEASE: Final = "DELETE FROM reserved WHERE day = ? AND key = ?"


class SqliteSpending:
    """Statements for the thread, which is the result store's: it prunes and closes."""

    def __init__(self, thread: SqliteThread, budgets: Budgets) -> None:
        self._thread = thread
        self._budgets = budgets

    async def reserve(self, wanted: Reservation, now: float) -> OverBudget | None:
        """Add the reservation to the sums of its day, unless that passes a budget."""
        day = day_of(wanted.now)
        names = accounts(wanted.user_id)

        def operation(connection: sqlite3.Connection) -> str | None:
            for account in names:
                spent = _number(connection, _SUM, day, account) or 0
                if not self._budgets.allow(account, spent + wanted.pico_usd):
                    return account
            connection.execute(_RESERVE, (day, wanted.key, wanted.pico_usd))
            connection.executemany(_ADD, [(day, account, wanted.pico_usd) for account in names])
            return None

        full = await self._thread.run(operation)
        return None if full is None else over_budget(full, now)

    async def settle(self, wanted: Reservation, pico_usd: int) -> None:
        """Put what the call did cost in the place of the reservation."""
        day = day_of(wanted.now)

        def operation(connection: sqlite3.Connection) -> None:
            reserved = _number(connection, _RESERVED, day, wanted.key)
            if reserved is None:
                return
            connection.execute(_RELEASE, (day, wanted.key))
            rows = [(day, account, pico_usd - reserved) for account in accounts(wanted.user_id)]
            connection.executemany(_ADD, rows)

        await self._thread.run(operation)


def _number(connection: sqlite3.Connection, select: str, day: int, name: str) -> int | None:
    row = connection.execute(select, (day, name)).fetchone()
    return None if row is None else int(row[0])
