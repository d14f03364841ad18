"""Which entries are a user's: what `forget` must find without reading the whole store."""

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Final

from jiraiya_events.adapters.store import redis_scripts
from jiraiya_events.adapters.store.redis_connection import Call, RedisConnection

_AT_ONCE: Final = 500


def hashed(*names: str) -> str:
    """Return 128 bits that stand for some names: keys must show nobody's id to an operator."""
    return hashlib.sha256(json.dumps(names).encode()).hexdigest()[:32]


class RedisUsers:
    """A sorted set for each user: entries by when they end.

    It lies in another hash slot than the entries, so the two change one after the other: an
    entry is noted before it is written, every time it is written. A forget between the two
    may leave an entry that is not noted until it is written again; before that it holds a
    fingerprint and nothing of the request itself. An entry that is noted but has ended, or
    never came, is no harm.
    """

    def __init__(self, connection: RedisConnection, kind: str) -> None:
        self._connection = connection
        self._kind = kind

    def note(self, user_id: str | None, entry: str, ttl_ms: int) -> list[Call]:
        """Return the call that notes an entry, to be run before the one that writes it."""
        if user_id is None:
            return []
        return [Call(redis_scripts.NOTE, [self._key(user_id)], [entry, ttl_ms])]

    async def forget(self, user_id: str, keys: Callable[[str], Sequence[str]]) -> int:
        """Erase the `keys` of each of a user's entries; return how many entries there were."""
        index, user, erased = self._key(user_id), hashed(user_id), 0
        while True:
            (entries,) = await self._connection.run(Call(redis_scripts.NOTED, [index], [_AT_ONCE]))
            if not entries:
                return erased
            erasing = [Call(redis_scripts.FORGET, keys(entry), [user]) for entry in entries]
            erased += sum(await self._connection.run(*erasing))
            # Only now: what fails in between is found again by the next forget.
            await self._connection.run(Call(redis_scripts.DROP, [index], entries))

    def _key(self, user_id: str) -> str:
        return f"jiraiya:user:{hashed(user_id)}:{self._kind}"
