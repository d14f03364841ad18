"""The result store of tests and of `memory://`: gone with the process."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from jiraiya_events.domain.clock import Clock, SystemClock
from jiraiya_events.domain.identity import RequestIdentity
from jiraiya_events.domain.outcome import Outcome
from jiraiya_events.generation.paid import PaidAnswer
from jiraiya_events.generation.result_store import Lease, Stored

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
        self._leases: dict[tuple[str, str], tuple[str, float]] = {}
        """Who owns the lease of a (source, id), and until when."""

    async def look_up(
        self,
        identity: RequestIdentity,
        fingerprint: str,
        user_id: str | None,
        lease: Lease | None = None,
    ) -> Stored:
        """Claim the identity for this body and return what is stored for it."""
        known = self._entry(identity) is not None
        entry = self._claim(identity, fingerprint, user_id)
        if entry is None:
            return Stored(conflict=True, known=True)
        outcome = entry.outcomes.get(identity.attempt)
        if outcome is None and lease is not None and not self._grant(lease):
            return Stored(busy=True, known=True)
        return Stored(outcome=outcome, answer=entry.answer, known=known)

    async def replace_body(
        self, identity: RequestIdentity, fingerprint: str, user_id: str | None
    ) -> None:
        """Let another body take the first one's place, unless something is kept that is its."""
        entry = self._entries.get((identity.source, identity.id))
        if entry is None or entry.fingerprint == fingerprint:
            return
        if entry.answer is None and identity.attempt not in entry.outcomes:
            del self._entries[identity.source, identity.id]
            self._claim(identity, fingerprint, user_id)

    async def is_paid(self, identity: RequestIdentity) -> bool:
        """Tell whether an answer is kept."""
        entry = self._entry(identity)
        return entry is not None and entry.answer is not None

    async def save_answer(
        self, identity: RequestIdentity, fingerprint: str, user_id: str | None, answer: PaidAnswer
    ) -> None:
        """Keep a paid answer; the latest replaces the one before."""
        entry = self._claim(identity, fingerprint, user_id)
        if entry is not None:
            self._keep_longer(identity, entry)
            entry.answer = answer

    async def save_outcome(
        self,
        identity: RequestIdentity,
        fingerprint: str,
        user_id: str | None,
        outcome: Outcome,
        lease: Lease | None = None,
    ) -> Outcome:
        """Keep how an attempt ended and return what counts: the first outcome stays."""
        if lease is not None:
            self._end(lease)
        entry = self._claim(identity, fingerprint, user_id)
        if entry is None:
            return outcome
        self._keep_longer(identity, entry)
        return entry.outcomes.setdefault(identity.attempt, outcome)

    async def renew(self, leases: Sequence[Lease]) -> None:
        """Prolong those that have not ended and are still their owners'."""
        now = self._clock.now()
        for lease in leases:
            owner, until = self._leases.get(_key(lease), ("", now))
            if owner == lease.owner and until > now:
                self._leases[_key(lease)] = (owner, now + lease.seconds)

    async def release(self, lease: Lease) -> None:
        """End the lease now if it is still its owner's."""
        self._end(lease)

    async def forget(self, user_id: str) -> int:
        """Erase everything stored for a user; return how many requests that were."""
        theirs = [key for key, entry in self._entries.items() if entry.user_id == user_id]
        for key in theirs:
            del self._entries[key]
            self._leases.pop(key, None)
        return len(theirs)

    async def ping(self) -> None:
        """Do nothing: memory is always there."""

    async def aclose(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self._leases.clear()

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

    def _entry(self, identity: RequestIdentity) -> _Entry | None:
        entry = self._entries.get((identity.source, identity.id))
        alive = entry is not None and entry.expires_at > self._clock.now()
        return entry if alive else None

    def _grant(self, lease: Lease) -> bool:
        now = self._clock.now()
        owner, until = self._leases.get(_key(lease), ("", now))
        if until > now and owner != lease.owner:
            return False
        self._leases[_key(lease)] = (lease.owner, now + lease.seconds)
        return True

    def _end(self, lease: Lease) -> None:
        if self._leases.get(_key(lease), ("", 0.0))[0] == lease.owner:
            del self._leases[_key(lease)]

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


def _key(lease: Lease) -> tuple[str, str]:
    return (lease.identity.source, lease.identity.id)
