"""The response cache of tests and of `memory://`: gone with the process."""

from dataclasses import dataclass
from typing import Final

from jiraiya_events.domain.clock import Clock, SystemClock
from jiraiya_events.generation.paid import PaidAnswer

_PRUNED_AT_ONCE: Final = 8


@dataclass(frozen=True, slots=True)
class _Entry:
    user_id: str | None
    answer: PaidAnswer
    expires_at: float


class MemoryCache:
    """A dictionary, the entries that end first at its front."""

    def __init__(self, cache_s: float, clock: Clock | None = None) -> None:
        self._cache_s = cache_s
        self._clock = clock or SystemClock()
        self._entries: dict[str, _Entry] = {}

    async def find(self, key: str) -> PaidAnswer | None:
        """Return the answer kept under a key, None when there is none or it has ended."""
        entry = self._entries.get(key)
        return entry.answer if entry is not None and self._alive(entry) else None

    async def keep(self, key: str, user_id: str | None, answer: PaidAnswer) -> None:
        """Keep an answer; the latest replaces the one before."""
        oldest = [found for found, _ in zip(self._entries, range(_PRUNED_AT_ONCE), strict=False)]
        for found in oldest:
            if not self._alive(self._entries[found]):
                del self._entries[found]
        self._entries.pop(key, None)
        self._entries[key] = _Entry(user_id, answer, self._clock.now() + self._cache_s)

    async def forget(self, user_id: str) -> int:
        """Erase the answers a user paid for; return how many."""
        theirs = [key for key, entry in self._entries.items() if entry.user_id == user_id]
        for key in theirs:
            del self._entries[key]
        return len(theirs)

    def _alive(self, entry: _Entry) -> bool:
        return entry.expires_at > self._clock.now()
