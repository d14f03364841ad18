"""From settings to budgets and limits that live where the results do.

What needs `redis` or `limits` is imported when it is needed: both take a while, and commands
should answer at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from jiraiya_events.adapters.limits.memory_spending import MemorySpending
from jiraiya_events.adapters.limits.sqlite_spending import SqliteSpending
from jiraiya_events.adapters.store.sqlite_thread import SqliteThread

if TYPE_CHECKING:
    from jiraiya_events.adapters.store.redis_connection import RedisConnection
    from jiraiya_events.domain.clock import Clock
    from jiraiya_events.generation.budgets import Budgets
    from jiraiya_events.generation.spending import Spending, UserLimits

    Place: TypeAlias = RedisConnection | SqliteThread | None
    """The result store's own; None for a store in memory."""


def open_spending(budgets: Budgets, place: Place) -> Spending | None:
    """Return who keeps the budgets, None when there is none."""
    if not budgets:
        return None
    if place is None:
        return MemorySpending(budgets)
    if isinstance(place, SqliteThread):
        return SqliteSpending(place, budgets)
    from jiraiya_events.adapters.limits.redis_spending import RedisSpending  # noqa: PLC0415 - only where it is used

    return RedisSpending(place, budgets)


def open_user_limits(rate: str | None, place: Place, clock: Clock) -> UserLimits | None:
    """Return who counts the requests, None when they are not limited.

    Without Redis each process counts by itself. Requests keyed by their user are all read by the
    process that owns the user's partition, so a shared file would add little for its price.
    """
    if rate is None:
        return None
    if place is None or isinstance(place, SqliteThread):
        from jiraiya_events.adapters.limits.memory_user_limits import (  # noqa: PLC0415 - only where it is used
            MemoryUserLimits,
        )

        return MemoryUserLimits(rate, clock)
    from jiraiya_events.adapters.limits.redis_user_limits import RedisUserLimits  # noqa: PLC0415 - only where it is used

    return RedisUserLimits(place, rate)
