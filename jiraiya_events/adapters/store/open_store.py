"""From the setting `JIRAIYA_STORE__URL` to what is kept there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from jiraiya_events.adapters.store.memory import MemoryStore
from jiraiya_events.adapters.store.memory_cache import MemoryCache
from jiraiya_events.adapters.store.sqlite import SqliteStore
from jiraiya_events.adapters.store.sqlite_cache import SqliteCache
from jiraiya_events.adapters.store.sqlite_thread import SqliteThread
from jiraiya_events.domain.errors import SettingsError

if TYPE_CHECKING:
    from jiraiya_events.adapters.store.redis_connection import RedisConnection
    from jiraiya_events.domain.clock import Clock
    from jiraiya_events.generation.response_cache import ResponseCache
    from jiraiya_events.generation.result_store import ResultStore

_SQLITE: Final = "sqlite:///"
_REDIS: Final = ("redis://", "rediss://")


@dataclass(frozen=True, slots=True)
class Stores:
    """What is kept at one address; `redis` or `sqlite` is there for others to share."""

    results: ResultStore
    answers: ResponseCache
    caching: bool
    redis: RedisConnection | None = None
    sqlite: SqliteThread | None = None

    @property
    def cache(self) -> ResponseCache | None:
        """The response cache; None when it is off."""
        return self.answers if self.caching else None

    async def forget(self, user_id: str) -> int:
        """Erase everything stored for a user; return how many requests that were.

        Also what was cached before the cache was switched off. `overwrite` then leaves nothing of
        it to be read. Raises `StoreUnavailable`.
        """
        await self.answers.forget(user_id)
        return await self.results.forget(user_id)

    async def overwrite(self) -> bool:
        """Overwrite in the file what was erased; False when another process does not let us."""
        return self.sqlite is None or await self.sqlite.write_back()

    async def aclose(self) -> None:
        """Finish what is under way and close, also for those who share it."""
        await self.results.aclose()


def open_stores(url: str, ttl_s: float, cache_s: float, clock: Clock | None = None) -> Stores:
    """Return what is kept at `url`; nothing is opened or created before its first use.

    `sqlite:///results.db` is relative, `sqlite:////var/lib/results.db` absolute, and
    percent-encoding is understood. In Redis everything ends by its own clock, not by `clock`.
    `cache_s` 0 switches the response cache off. Raises `SettingsError` for any other scheme.
    """
    caching = cache_s > 0
    if url == "memory://":
        return Stores(MemoryStore(ttl_s, clock), MemoryCache(cache_s, clock), caching)
    file = sqlite_file(url)
    if file is not None:
        thread = SqliteThread(file)
        results, answers = SqliteStore(thread, ttl_s, clock), SqliteCache(thread, cache_s, clock)
        return Stores(results, answers, caching, sqlite=thread)
    if url.startswith(_REDIS):
        return _in_redis(url, ttl_s, cache_s)
    # Never the whole address: it may hold a password.
    scheme = url.partition(":")[0] or "(empty)"
    line = (
        f"JIRAIYA_STORE__URL: {scheme!r} is not supported; use sqlite:////absolute/path.db, "
        "redis://host:6379/0 or memory://"
    )
    raise SettingsError((line,))


def sqlite_file(url: str) -> Path | None:
    """Return the file of the SQLite store at `url`; None when it is another kind of store."""
    if url.startswith(_SQLITE) and len(url) > len(_SQLITE):
        return Path(unquote(url.removeprefix(_SQLITE)))
    return None


def _in_redis(url: str, ttl_s: float, cache_s: float) -> Stores:
    # Imported here: the client takes a while to import, and commands should answer at once.
    from jiraiya_events.adapters.store.redis import RedisStore  # noqa: PLC0415 - only where it is used
    from jiraiya_events.adapters.store.redis_cache import RedisCache  # noqa: PLC0415 - only where it is used
    from jiraiya_events.adapters.store.redis_connection import RedisConnection  # noqa: PLC0415 - only where it is used

    connection = RedisConnection(url)
    results, answers = RedisStore(connection, ttl_s), RedisCache(connection, cache_s)
    return Stores(results, answers, cache_s > 0, redis=connection)
