"""Which entries are a user's: what `forget` must find without reading the whole store."""

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any, Final

from jiraiya_events.adapters.store import redis_scripts
from jiraiya_events.adapters.store.redis_connection import Call, RedisConnection

_AT_ONCE: Final = 500


def hashed(*names: str) -> str:
    """Return 128 bits that stand for some names: keys must show nobody's id to an operator."""
    return hashlib.sha256(json.dumps(names).encode()).hexdigest()[:32]


class RedisUsers:
    """A sorted set for each user: entries by when they end.

    It lies in another hash slot than the entries, so the two change one after the other, and a
    forget may come between any two of these steps. The service notes an entry, writes it, and
    notes it again when what it wrote tells anything of the request; a forget reads the notes,
    erases their entries, and drops those notes whose score is still the one it read.

    Why no forget loses sight of what is kept: the note that follows a write is dropped only by
    a forget that read that very note, thus erased after the write; one that read an earlier
    note finds another score. The note before the write is for a connection that breaks in
    between. What stays: a claim is noted before it only, so a forget between the two leaves a
    fingerprint and the user's hash, until the request's next write or their end; and the one
    write with which a server that was started anew learns a script comes after both its notes.
    An entry that is noted but has ended, or never came, is no harm.
    """

    def __init__(self, connection: RedisConnection, kind: str) -> None:
        self._connection = connection
        self._kind = kind

    async def claim(self, user_id: str | None, entry: str, ttl_ms: int, call: Call) -> Any:  # noqa: ANN401 - what the script returns
        """Run a call that keeps an entry's place; return its result."""
        return (await self._connection.run(*self._note(user_id, entry, ttl_ms), call))[-1]

    async def write(self, user_id: str | None, entry: str, ttl_ms: int, call: Call) -> Any:  # noqa: ANN401 - what the script returns
        """Run a call that writes an entry; return its result."""
        note = self._note(user_id, entry, ttl_ms)
        return (await self._connection.run(*note, call, *note))[len(note)]

    async def forget(self, user_id: str, keys: Callable[[str], Sequence[str]]) -> int:
        """Erase the `keys` of each of a user's entries; return how many entries there were."""
        index, user, erased = self._key(user_id), hashed(user_id), 0
        while True:
            (noted,) = await self._connection.run(Call(redis_scripts.NOTED, [index], [_AT_ONCE]))
            if not noted:
                return erased
            erasing = [Call(redis_scripts.FORGET, keys(entry), [user]) for entry in noted[::2]]
            erased += sum(await self._connection.run(*erasing))
            # Only now: what fails in between is found again by the next forget.
            await self._connection.run(Call(redis_scripts.DROP, [index], noted))

    def _note(self, user_id: str | None, entry: str, ttl_ms: int) -> list[Call]:
        if user_id is None:
            return []
        return [Call(redis_scripts.NOTE, [self._key(user_id)], [entry, ttl_ms])]

    def _key(self, user_id: str) -> str:
        return f"jiraiya:user:{hashed(user_id)}:{self._kind}"
