"""What is known of a request before any money is spent on it."""

from dataclasses import dataclass
from hashlib import sha256

from jiraiya_events.contract.envelope import Envelope
from jiraiya_events.contract.ids import fingerprint
from jiraiya_events.domain.codes import ErrorCode, Stage
from jiraiya_events.domain.errors import RequestFailure, StoreUnavailable
from jiraiya_events.domain.outcome import Outcome
from jiraiya_events.generation.ports import CallObserver, ResultStore, Stored

CONFLICT = "Another request with the same source and id but a different body came first."


@dataclass(frozen=True, slots=True)
class Memory:
    """The result store, with the rule that no request fails because it cannot be reached."""

    store: ResultStore
    observer: CallObserver

    async def recall(self, envelope: Envelope, print_: str) -> Stored:
        """Claim the request's identity and return what is stored; nothing when it is down.

        Raises `RequestFailure` with `duplicate_conflict`.
        """
        try:
            stored = await self.store.look_up(envelope.identity, print_, envelope.user_id)
        except StoreUnavailable as error:
            self.observer.store_looked_up("error")
            self.observer.store_failed("look_up", str(error))
            return Stored()
        self.observer.store_looked_up(_result(stored))
        if stored.conflict:
            raise RequestFailure(ErrorCode.DUPLICATE_CONFLICT, CONFLICT, stage=Stage.ADMIT)
        return stored

    async def keep(self, envelope: Envelope, print_: str, outcome: Outcome) -> Outcome:
        """Store an outcome and return the one that counts: the first of its attempt."""
        try:
            return await self.store.save_outcome(
                envelope.identity, print_, envelope.user_id, outcome
            )
        except StoreUnavailable as error:
            self.observer.store_failed("save_outcome", str(error))
            return outcome


def fingerprint_of(envelope: Envelope, value: bytes | None) -> str:
    """Return what decides whether two bodies are the same request."""
    if envelope.payload is None:
        return sha256(value or b"").hexdigest()
    return fingerprint(envelope.payload)


def _result(stored: Stored) -> str:
    if stored.conflict:
        return "conflict"
    if stored.outcome is not None:
        return "hit"
    return "miss" if stored.answer is None else "answer"
