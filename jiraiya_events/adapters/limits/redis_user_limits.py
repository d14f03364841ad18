"""The requests of each user in Redis, shared by all replicas: the moving window of `limits`."""

import time
from hashlib import sha256

from limits import parse
from limits.aio.storage import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter

from jiraiya_events.adapters.store.redis_connection import RedisConnection

_SOON_S = 0.001


class RedisUserLimits:
    """Uses the sockets of the result store's connection, which closes them.

    `rate` is text such as `30/minute`. The times are those of the replicas' clocks, by which
    `limits` goes; a user stands there as a hash, for as long as the window is.
    """

    def __init__(self, connection: RedisConnection, rate: str) -> None:
        self._connection = connection
        self._item = parse(rate)
        storage = RedisStorage(
            # Not the address, which may hold a password: the pool has it.
            "async+redis://",
            implementation="redispy",
            key_prefix="jiraiya:requests",
            connection_pool=connection.pool,  # type: ignore[arg-type]  # passed on as it is
        )
        self._limiter = MovingWindowRateLimiter(storage)

    async def check(self, user_id: str) -> float:
        """Return 0 and count the request, else the seconds until the next one fits."""
        user = sha256(user_id.encode()).hexdigest()
        async with self._connection.guarded():
            if await self._limiter.hit(self._item, user):
                return 0.0
            window = await self._limiter.get_window_stats(self._item, user)
        # By now the oldest request may have left the window.
        return max(_SOON_S, window.reset_time - time.time())
