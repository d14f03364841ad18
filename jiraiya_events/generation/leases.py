"""The leases of the turns under way in this process, and the one task that renews them all.

Who interleaves with whom: turns call `hold`, `drop` and `give_back`; the task sleeps, and renews
what is held at that moment. It starts with the first lease held and ends by itself at its first
waking without any, so nobody cancels it; at the latest the loop's end does. A renewal that
arrives after its lease was given back changes nothing, since a store prolongs only what is still
its owner's. When renewing fails, or a stall of this process outlasts the lease, the call goes on
all the same: what it costs is spent, and the worst is that another turn pays as well.
"""

import asyncio
import itertools
from contextvars import Context
from typing import Final
from uuid import uuid4

from jiraiya_events.domain.errors import StoreUnavailable
from jiraiya_events.domain.identity import RequestIdentity
from jiraiya_events.generation.ports import CallObserver
from jiraiya_events.generation.result_store import Lease, ResultStore

LEASE_S: Final = 10.0
"""How long a crashed owner keeps others waiting at most: as long as Kafka waits for a member."""

RENEW_EVERY_S: Final = 3.0
"""Two renewals may fail before a lease ends."""


class Leases:
    """A lease is held from before it is asked for, since a cancelled look-up may still take it.

    A record keeps its lease's name from turn to turn: one that could not be given back, because
    the store was down, is no other's to its next turn.
    """

    def __init__(self, store: ResultStore, observer: CallObserver) -> None:
        self._store = store
        self._observer = observer
        self._process = uuid4().hex
        self._records = itertools.count()
        self._held: dict[str, Lease] = {}
        self._task: asyncio.Task[None] | None = None

    def new(self, identity: RequestIdentity) -> Lease:
        """Return a record's lease, which nobody has asked for yet."""
        return Lease(identity, f"{self._process}-{next(self._records)}", LEASE_S)

    def hold(self, lease: Lease) -> None:
        """Renew it until it is dropped or given back."""
        self._held[lease.owner] = lease
        if self._task is None or self._task.done():
            # A context of its own: its log lines are not about the request that came first.
            loop = asyncio.get_running_loop()
            self._task = loop.create_task(self._renew(), context=Context())

    def drop(self, lease: Lease) -> None:
        """Stop renewing: it was not granted, or the store has ended it."""
        self._held.pop(lease.owner, None)

    async def give_back(self, lease: Lease) -> None:
        """End the lease unless it was dropped; when the store is down it runs out by itself."""
        if self._held.pop(lease.owner, None) is None:
            return
        try:
            await self._store.release(lease)
        except StoreUnavailable as error:
            self._observer.store_failed("release", str(error))

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_EVERY_S)
            if not self._held:
                return
            try:
                await self._store.renew(tuple(self._held.values()))
            except StoreUnavailable as error:
                self._observer.store_failed("renew", str(error))
