"""Budgets and limits live where the results do."""

from pathlib import Path

import pytest

from jiraiya_events.adapters.limits.memory_spending import MemorySpending
from jiraiya_events.adapters.limits.memory_user_limits import MemoryUserLimits
from jiraiya_events.adapters.limits.opening import open_spending, open_user_limits
from jiraiya_events.adapters.limits.redis_spending import RedisSpending
from jiraiya_events.adapters.limits.redis_user_limits import RedisUserLimits
from jiraiya_events.adapters.limits.sqlite_spending import SqliteSpending
from jiraiya_events.adapters.store.open_store import open_stores
from jiraiya_events.domain.clock import SystemClock
from jiraiya_events.generation.budgets import Budgets

ANY = Budgets(service_daily_pico=0)
PLACES = [
    ("memory://", MemorySpending, MemoryUserLimits),
    ("sqlite:///{}/outcomes.db", SqliteSpending, MemoryUserLimits),
    ("redis://127.0.0.1:9/0", RedisSpending, RedisUserLimits),
]


@pytest.mark.parametrize(("url", "spending", "limits"), PLACES)
async def test_budgets_and_counts_follow_the_result_store(
    tmp_path: Path, url: str, spending: type, limits: type
) -> None:
    """Proves the choice; nothing is opened before its first use."""
    stores = open_stores(url.format(tmp_path), 60, 0)
    place = stores.redis or stores.sqlite
    assert isinstance(open_spending(ANY, place), spending)
    assert isinstance(open_user_limits("1/day", place, SystemClock()), limits)
    await stores.aclose()


def test_without_settings_nothing_is_limited() -> None:
    """Proves that nobody pays for what is off; a budget of nothing is a budget."""
    assert open_spending(Budgets(), None) is None
    assert open_spending(ANY, None) is not None
    assert open_user_limits(None, None, SystemClock()) is None
