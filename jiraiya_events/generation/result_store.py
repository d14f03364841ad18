"""The port to the result store: outcomes, paid answers, and who may call a model for a request."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from jiraiya_events.domain.identity import RequestIdentity
from jiraiya_events.domain.outcome import Outcome
from jiraiya_events.generation.paid import PaidAnswer


@dataclass(frozen=True, slots=True)
class Stored:
    """What is known about a request; `outcome` is that of the attempt asked for.

    `conflict` means another body came first under the same source and id; then nothing of
    the other body is returned. `busy` means that the lease asked for is another owner's, whose
    call may be under way; then no answer is returned. `known` means that somebody has looked the
    request up before.
    """

    conflict: bool = False
    outcome: Outcome | None = None
    answer: PaidAnswer | None = None
    busy: bool = False
    known: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to call a model for a (source, id), for `seconds` from claim or renewal on.

    `owner` is unique to one record in one process: two requests under one id exclude each other
    inside a process as well. The attempt plays no part.
    """

    identity: RequestIdentity
    owner: str
    seconds: float


class ResultStore(Protocol):
    """Outcomes by (source, id, attempt); paid answers and fingerprints by (source, id).

    Looking a request up *claims* its (source, id) for the fingerprint: the first body wins
    before any money is spent. Claiming only when something is saved would let two bodies under
    one id, read by two replicas at the same time, both be paid for. Saving under a fingerprint
    that did not win does nothing. All methods raise `StoreUnavailable`.

    A lease is kept beside them and ends by the store's own clock. It asks no more of a store
    than "set if absent, with an end", and "prolong" and "delete" if the owner is still the same.
    """

    async def look_up(
        self,
        identity: RequestIdentity,
        fingerprint: str,
        user_id: str | None,
        lease: Lease | None = None,
    ) -> Stored:
        """Claim the identity for this body and return what is stored for it.

        `lease` is granted in the same step, unless there is a conflict or an outcome, or
        another owner's has not ended yet (`busy`).
        """
        ...

    async def replace_body(
        self, identity: RequestIdentity, fingerprint: str, user_id: str | None
    ) -> None:
        """Let an operator's body take the place of another one that came first.

        Nothing happens, so that a look-up finds a conflict, once an answer is paid for or an
        outcome of this attempt is stored: what is kept would be the other body's. Earlier
        attempts' outcomes go with the body they are of.
        """
        ...

    async def is_paid(self, identity: RequestIdentity) -> bool:
        """Tell whether an answer is kept for this (source, id), whatever its body."""
        ...

    async def save_answer(
        self, identity: RequestIdentity, fingerprint: str, user_id: str | None, answer: PaidAnswer
    ) -> None:
        """Keep a paid answer; the latest of a (source, id) replaces the one before."""
        ...

    async def save_outcome(
        self,
        identity: RequestIdentity,
        fingerprint: str,
        user_id: str | None,
        outcome: Outcome,
        lease: Lease | None = None,
    ) -> Outcome:
        """Keep how an attempt ended and return the outcome that counts; `release` the lease.

        The first of an attempt stays: two owners may have worked on a request at once, and
        what is published under one `ce_id` must not depend on which of them committed.
        """
        ...

    async def renew(self, leases: Sequence[Lease]) -> None:
        """Prolong those that have not ended and are still their owners'; leave the others."""
        ...

    async def release(self, lease: Lease) -> None:
        """End the lease now if it is still its owner's."""
        ...

    async def forget(self, user_id: str) -> int:
        """Erase everything stored for a user; return how many requests that were."""
        ...

    async def ping(self) -> None:
        """Raise `StoreUnavailable` unless the store can be written to."""
        ...

    async def aclose(self) -> None:
        """Finish what is under way and close."""
        ...
