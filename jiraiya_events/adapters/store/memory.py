"""The result store of tests and of `memory://`: gone with the process."""

from dataclasses import dataclass, field

from jiraiya_events.domain.clock import Clock, SystemClock
from jiraiya_events.domain.identity import RequestIdentity
from jiraiya_events.domain.outcome import Outcome
from jiraiya_events.generation.paid import PaidAnswer
from jiraiya_events.generation.ports import Stored

# How many of the oldest entries one look-up checks for their end.
_PRUNED_AT_ONCE = 8


@dataclass(slots=True)
class _Entry:
    fingerprint: str
    user_id: str | None
    expires_at: float
    answer: PaidAnswer | None = None
    outcomes: dict[int, Outcome] = field(default_factory=dict)


class MemoryStore:
    """A dictionary by (source, id), the least recently used first."""

    def __init__(self, ttl_s: float, clock: Clock | None = None) -> None:
        self._ttl_s = ttl_s
        self._clock = clock or SystemClock()
        self._entries: dict[tuple[str, str], _Entry] = {}

    async def look_up(
        self, identity: RequestIdentity, fingerprint: str, user_id: str | None
    ) -> Stored:
        """Claim the identity for this body and return what is stored for it."""
        entry = self._claim(identity, fingerprint, user_id)
        if entry is None:
            return Stored(conflict=True)
        return Stored(outcome=entry.outcomes.get(identity.attempt), answer=entry.answer)

    async def save_answer(
        self, identity: RequestIdentity, fingerprint: str, user_id: str | None, answer: PaidAnswer
    ) -> None:
        """Keep a paid answer; the latest replaces the one before."""
        entry = self._claim(identity, fingerprint, user_id)
        if entry is not None:
            self._keep_longer(identity, entry)
            entry.answer = answer

    async def save_outcome(
        self, identity: RequestIdentity, fingerprint: str, user_id: str | None, outcome: Outcome
    ) -> Outcome:
        """Keep how an attempt ended and return what counts: the first outcome stays."""
        entry = self._claim(identity, fingerprint, user_id)
        if entry is None:
            return outcome
        self._keep_longer(identity, entry)
        return entry.outcomes.setdefault(identity.attempt, outcome)

    async def forget(self, user_id: str) -> int:
        """Erase everything stored for a user; return how many requests that were."""
        theirs = [key for key, entry in self._entries.items() if entry.user_id == user_id]
        for key in theirs:
            del self._entries[key]
        return len(theirs)

    async def ping(self) -> None:
        """Do nothing: memory is always there."""

    async def aclose(self) -> None:
        """Forget everything."""
        self._entries.clear()

    def _claim(
        self, identity: RequestIdentity, fingerprint: str, user_id: str | None
    ) -> _Entry | None:
        self._prune()
        key = (identity.source, identity.id)
        entry = self._entries.get(key)
        now = self._clock.now()
        if entry is None or entry.expires_at <= now:
            self._entries.pop(key, None)
            entry = self._entries[key] = _Entry(fingerprint, user_id, now + self._ttl_s)
        return entry if entry.fingerprint == fingerprint else None

    def _keep_longer(self, identity: RequestIdentity, entry: _Entry) -> None:
        key = (identity.source, identity.id)
        entry.expires_at = self._clock.now() + self._ttl_s
        self._entries[key] = self._entries.pop(key)

    def _prune(self) -> None:
        now = self._clock.now()
        oldest = [key for key, _ in zip(self._entries, range(_PRUNED_AT_ONCE), strict=False)]
        for key in oldest:
            if self._entries[key].expires_at <= now:
                del self._entries[key]
