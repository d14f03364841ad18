"""What is known of a request before any money is spent on it, and who may spend it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from hashlib import sha256

from jiraiya_events.contract.envelope import Envelope
from jiraiya_events.contract.ids import fingerprint
from jiraiya_events.domain.codes import ErrorCode, Stage
from jiraiya_events.domain.errors import RequestFailure, StoreUnavailable
from jiraiya_events.domain.outcome import Outcome
from jiraiya_events.generation.backlog import Backlog
from jiraiya_events.generation.leases import Leases
from jiraiya_events.generation.ports import CallObserver
from jiraiya_events.generation.result_store import Lease, ResultStore, Stored

CONFLICT = "Another request with the same source and id but a different body came first."


class Memory:
    """The result store, with the rule that no request fails because it cannot be reached."""

    def __init__(self, store: ResultStore, observer: CallObserver, backlog: Backlog) -> None:
        self._store = store
        self._observer = observer
        self._backlog = backlog
        self._leases = Leases(store, observer)

    def lease(self, envelope: Envelope) -> Lease:
        """Return the lease of a new record, for `recall` to claim in each of its turns."""
        return self._leases.new(envelope.identity)

    @asynccontextmanager
    async def turn(self, lease: Lease) -> AsyncIterator[None]:
        """Keep up the lease while inside; however the turn ends, the lease ends with it."""
        self._leases.hold(lease)
        try:
            yield
        finally:
            await self._leases.give_back(lease)

    async def recall(self, envelope: Envelope, print_: str, lease: Lease | None = None) -> Stored:
        """Claim the request's identity and return what is stored; nothing when it is down.

        An operator's edited body takes the place of the one before, unless that is paid for.
        Who means to call the model passes its `lease`, and has it unless the store is down or
        the answer is `busy`. Raises `RequestFailure` with `duplicate_conflict`.
        """
        stored = await self._look_up(envelope, print_, lease)
        refused = stored is None or stored.busy or stored.conflict or stored.outcome is not None
        if lease is not None and refused:
            self._leases.drop(lease)
        if stored is None:
            return Stored()
        if stored.conflict:
            raise RequestFailure(ErrorCode.DUPLICATE_CONFLICT, CONFLICT, stage=Stage.ADMIT)
        return stored

    async def keep(
        self, envelope: Envelope, print_: str, outcome: Outcome, lease: Lease | None = None
    ) -> Outcome:
        """Store an outcome, end the lease, and return what counts: the attempt's first."""
        kept = (envelope.identity, print_, envelope.user_id, outcome, lease)
        save = partial(self._store.save_outcome, *kept)
        counts = await self._backlog.save("save_outcome", envelope.identity, save)
        if lease is not None:
            self._leases.drop(lease)
        return counts or outcome

    async def _look_up(self, envelope: Envelope, print_: str, lease: Lease | None) -> Stored | None:
        user_id = envelope.user_id
        try:
            if envelope.edited:
                await self._store.replace_body(envelope.identity, print_, user_id)
            stored = await self._store.look_up(envelope.identity, print_, user_id, lease)
        except StoreUnavailable as error:
            self._observer.store_looked_up("error")
            self._observer.store_failed("look_up", str(error))
            return None
        self._observer.store_looked_up(_result(stored))
        return stored


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
    if stored.busy:
        return "busy"
    return "miss" if stored.answer is None else "answer"
