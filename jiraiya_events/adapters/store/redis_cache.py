"""The response cache in Redis, for several replicas."""

from jiraiya_events.adapters.store import redis_scripts
from jiraiya_events.adapters.store.redis import milliseconds
from jiraiya_events.adapters.store.redis_connection import Call, RedisConnection
from jiraiya_events.adapters.store.redis_users import RedisUsers, hashed
from jiraiya_events.adapters.store.rows import read
from jiraiya_events.generation.paid import PaidAnswer


class RedisCache:
    """Scripts for the connection, which is the result store's and closed by it."""

    def __init__(self, connection: RedisConnection, cache_s: float) -> None:
        self._connection = connection
        self._cache_ms = milliseconds(cache_s)
        self._users = RedisUsers(connection, "answers")

    async def find(self, key: str) -> PaidAnswer | None:
        """Return the answer kept under a key, None when there is none or it has ended."""
        (body,) = await self._connection.run(Call(redis_scripts.FIND, _keys(key)))
        return read(PaidAnswer, body)

    async def keep(self, key: str, user_id: str | None, answer: PaidAnswer) -> None:
        """Keep an answer; the latest replaces the one before."""
        user = "" if user_id is None else hashed(user_id)
        call = Call(
            redis_scripts.KEEP, _keys(key), [user, self._cache_ms, answer.model_dump_json()]
        )
        await self._users.write(user_id, key, self._cache_ms, call)

    async def forget(self, user_id: str) -> int:
        """Erase the answers a user paid for; return how many."""
        return await self._users.forget(user_id, _keys)


def _keys(key: str) -> list[str]:
    return [f"jiraiya:answer:{{{key}}}"]
