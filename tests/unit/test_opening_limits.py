"""Budgets and limits live where the results do."""

from pathlib import Path

from jiraiya_events.adapters.limits.memory_spending import MemorySpending
from jiraiya_events.adapters.limits.memory_user_limits import MemoryUserLimits
from jiraiya_events.adapters.limits.opening import open_spending, open_user_limits
from jiraiya_events.adapters.limits.redis_spending import RedisSpending
from jiraiya_events.adapters.limits.redis_user_limits import RedisUserLimits
from jiraiya_events.adapters.limits.sqlite_spending import SqliteSpending
from jiraiya_events.adapters.store.redis_connection import RedisConnection
from jiraiya_events.adapters.store.sqlite_thread import SqliteThread
from jiraiya_events.domain.clock import SystemClock
from jiraiya_events.generation.budgets import Budgets

ANY = Budgets(service_daily_pico=0)


async def test_budgets_and_counts_follow_the_result_store(tmp_path: Path) -> None:
    """Proves the choice; nothing is opened before its first use."""
    clock = SystemClock()
    redis = RedisConnection("redis://127.0.0.1:9/0")
    file = SqliteThread(tmp_path / "outcomes.db")
    assert isinstance(open_spending(ANY, redis), RedisSpending)
    assert isinstance(open_spending(ANY, file), SqliteSpending)
    assert isinstance(open_spending(ANY, None), MemorySpending)
    assert isinstance(open_user_limits("1/day", redis, clock), RedisUserLimits)
    assert isinstance(open_user_limits("1/day", file, clock), MemoryUserLimits)
    assert isinstance(open_user_limits("1/day", None, clock), MemoryUserLimits)
    await redis.aclose()
    await file.aclose()


def test_without_settings_nothing_is_limited() -> None:
    """Proves that nobody pays for what is off; a budget of nothing is a budget."""
    assert open_spending(Budgets(), None) is None
    assert open_spending(ANY, None) is not None
    assert open_user_limits(None, None, SystemClock()) is None
