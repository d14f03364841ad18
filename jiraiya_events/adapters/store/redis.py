"""The result store in Redis, for several replicas."""

from collections.abc import Sequence
from typing import Final

from jiraiya_events.adapters.store import redis_scripts
from jiraiya_events.adapters.store.redis_connection import Call, RedisConnection, Script
from jiraiya_events.adapters.store.redis_users import RedisUsers, hashed
from jiraiya_events.adapters.store.rows import read
from jiraiya_events.domain.identity import RequestIdentity
from jiraiya_events.domain.outcome import Outcome, StoryFailed, StoryGenerated
from jiraiya_events.generation.paid import PaidAnswer
from jiraiya_events.generation.result_store import Lease, Stored

_GENERATED: Final = "generated "
_FAILED: Final = "failed "
_PING_MS: Final = 1000


class RedisStore:
    """Scripts for the connection, each atomic; ends are Redis's own."""

    def __init__(self, connection: RedisConnection, ttl_s: float) -> None:
        self._connection = connection
        self._ttl_ms = milliseconds(ttl_s)
        self._users = RedisUsers(connection, "requests")

    async def look_up(
        self,
        identity: RequestIdentity,
        fingerprint: str,
        user_id: str | None,
        lease: Lease | None = None,
    ) -> Stored:
        """Claim the identity for this body and return what is stored for it."""
        asked = ("", 0) if lease is None else (lease.owner, milliseconds(lease.seconds))
        words = (_field(identity), *asked)
        claim = self._claiming(redis_scripts.LOOK_UP, identity, fingerprint, user_id, *words)
        state, *kept = await self._users.claim(*claim)
        outcome, answer, known = kept or (None, None, 1)
        return Stored(
            conflict=state == "conflict",
            outcome=_outcome(outcome),
            answer=read(PaidAnswer, answer),
            busy=state == "busy",
            known=bool(known),
        )

    async def replace_body(
        self, identity: RequestIdentity, fingerprint: str, user_id: str | None
    ) -> None:
        """Let another body take the first one's place, unless something is kept that is its."""
        script = redis_scripts.REPLACE_BODY
        claim = self._claiming(script, identity, fingerprint, user_id, _field(identity))
        await self._users.claim(*claim)

    async def is_paid(self, identity: RequestIdentity) -> bool:
        """Tell whether an answer is kept."""
        (paid,) = await self._connection.run(Call(redis_scripts.IS_PAID, _keys(_tag(identity))[:1]))
        return bool(paid)

    async def save_answer(
        self, identity: RequestIdentity, fingerprint: str, user_id: str | None, answer: PaidAnswer
    ) -> None:
        """Keep a paid answer; the latest replaces the one before."""
        body = answer.model_dump_json()
        script = redis_scripts.SAVE_ANSWER
        await self._users.write(*self._claiming(script, identity, fingerprint, user_id, body))

    async def save_outcome(
        self,
        identity: RequestIdentity,
        fingerprint: str,
        user_id: str | None,
        outcome: Outcome,
        lease: Lease | None = None,
    ) -> Outcome:
        """Keep how an attempt ended and return what counts: the first outcome stays."""
        kind = _GENERATED if isinstance(outcome, StoryGenerated) else _FAILED
        owner = "" if lease is None else lease.owner
        words = (_field(identity), owner, kind + outcome.model_dump_json())
        script = redis_scripts.SAVE_OUTCOME
        written = self._claiming(script, identity, fingerprint, user_id, *words)
        return _outcome(await self._users.write(*written)) or outcome

    async def renew(self, leases: Sequence[Lease]) -> None:
        """Prolong those that have not ended and are still their owners'."""
        calls = [
            Call(redis_scripts.RENEW, _lease_key(lease), [lease.owner, milliseconds(lease.seconds)])
            for lease in leases
        ]
        await self._connection.run(*calls)

    async def release(self, lease: Lease) -> None:
        """End the lease now if it is still its owner's."""
        call = Call(redis_scripts.RELEASE, _lease_key(lease), [lease.owner])
        await self._connection.run(call)

    async def forget(self, user_id: str) -> int:
        """Erase everything stored for a user; return how many requests that were."""
        return await self._users.forget(user_id, _keys)

    async def ping(self) -> None:
        """Raise `StoreUnavailable` unless a key can be written."""
        await self._connection.run(Call(redis_scripts.PING, ["jiraiya:ping"], [_PING_MS]))

    async def aclose(self) -> None:
        """Close the connection."""
        await self._connection.aclose()

    def _claiming(
        self,
        script: Script,
        identity: RequestIdentity,
        fingerprint: str,
        user_id: str | None,
        *words: str | int,
    ) -> tuple[str | None, str, int, Call]:
        """Return a call that claims the identity for this body first, as `RedisUsers` runs it."""
        tag = _tag(identity)
        user = "" if user_id is None else hashed(user_id)
        call = Call(script, _keys(tag), [fingerprint, user, self._ttl_ms, *words])
        return user_id, tag, self._ttl_ms, call


def milliseconds(seconds: float) -> int:
    """Return what Redis counts in; it refuses an end that is now."""
    return max(1, round(seconds * 1000))


def _tag(identity: RequestIdentity) -> str:
    return hashed(identity.source, identity.id)


def _keys(tag: str) -> list[str]:
    # Redis Cluster picks the slot by what stands between the braces.
    return [f"jiraiya:{{{tag}}}:request", f"jiraiya:{{{tag}}}:lease"]


def _lease_key(lease: Lease) -> list[str]:
    return _keys(_tag(lease.identity))[1:]


def _field(identity: RequestIdentity) -> str:
    return f"outcome {identity.attempt}"


def _outcome(body: str | None) -> Outcome | None:
    if body is None:
        return None
    if body.startswith(_GENERATED):
        return read(StoryGenerated, body.removeprefix(_GENERATED))
    return read(StoryFailed, body.removeprefix(_FAILED))
