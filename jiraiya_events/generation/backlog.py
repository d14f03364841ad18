"""What could not be saved while the store was away, sent in order when it is back.

The store then ends as if it had been there: the first outcome stays, the latest answer counts.
What is sent may have arrived before, its answer lost: so nothing is kept here that a store would
not take twice. It is this process's memory; what a process that dies held is lost.
"""

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Final, TypeVar

from jiraiya_events.domain.errors import StoreUnavailable
from jiraiya_events.generation.ports import CallObserver

MOST: Final = 1_000
"""How much is kept; a story is some kilobytes, twice."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class _Unsaved:
    operation: str
    name: Hashable
    send: Callable[[], Awaitable[object]]


class Backlog:
    """Used from one event loop; whoever knows that the store is back calls `catch_up`."""

    def __init__(self, observer: CallObserver) -> None:
        self._observer = observer
        # The keys of a dictionary are in order, and any of them can be dropped.
        self._kept: dict[_Unsaved, None] = {}
        self._full = False

    @property
    def waiting(self) -> int:
        """How much is kept."""
        return len(self._kept)

    async def save(
        self, operation: str, name: Hashable, send: Callable[[], Awaitable[T]]
    ) -> T | None:
        """Return what `send` returns; while the store is away keep it for later: None.

        What is saved drops what was kept before of the same `operation` and `name`.
        """
        try:
            saved = await send()
        except StoreUnavailable as error:
            self._observer.store_failed(operation, str(error))
            self._keep(_Unsaved(operation, name, send))
            return None
        self._observer.store_answered(operation)
        for old in [one for one in self._kept if (one.operation, one.name) == (operation, name)]:
            del self._kept[old]
        return saved

    async def catch_up(self) -> None:
        """Send what is kept until one fails; that one lines up again, and holds up nobody."""
        while self._kept:
            oldest = next(iter(self._kept))
            try:
                await oldest.send()
            except StoreUnavailable as error:
                self._observer.store_failed(oldest.operation, str(error))
                if oldest in self._kept:
                    del self._kept[oldest]
                    self._kept[oldest] = None
                return
            self._observer.store_answered(oldest.operation)
            self._kept.pop(oldest, None)
        self._full = False

    def _keep(self, unsaved: _Unsaved) -> None:
        self._kept[unsaved] = None
        if len(self._kept) <= MOST:
            return
        del self._kept[next(iter(self._kept))]
        if not self._full:
            self._full = True
            self._observer.backlog_full(MOST)
