"""Which requests are withdrawn: the cancels that are remembered, and the requests they find here.

A cancel may come at any time: before its request is read, while it waits in its lane, while a
model is called for it, or after its end. So it is remembered for as long as a deadline can be
away, and it is told at once to every request of its source and id that has had a turn here.
A request looks at what is remembered in its first turn only; from then on it is told.

Pure: time is an argument, and waking a lane is the engine's (`wake`). Nobody says when a request
is over, or dropped because its partition is another's: it is watched for as long as its `Watched`
is alive, which its `Case` holds.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final
from weakref import WeakSet, WeakValueDictionary

from jiraiya_events.contract.envelope import Envelope
from jiraiya_events.engine.records import Record
from jiraiya_events.generation.withdrawal import Withdrawal

REMEMBERED_S: Final = 600.0
"""The longest deadline: by then every request published before the cancel has ended."""

REMEMBERED_AT_MOST: Final = 100_000
"""Beyond it the oldest are forgotten, for requests that have not had a turn here yet."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """One `story.cancelled`; `timestamp_ms` is its record's, `message` what the user may read.

    `request` is the `key_of` the request it names.
    """

    request: bytes
    timestamp_ms: int
    message: str

    def concerns(self, envelope: Envelope) -> bool:
        """Tell whether it withdraws this request of its source and id.

        A replay is an operator's word on a wish that had ended: only a cancel that was published
        after it counts. For the wish itself the order of the two topics means nothing.
        """
        return not envelope.replayed or envelope.timestamp_ms <= self.timestamp_ms


@dataclass(eq=False, repr=False, slots=True, weakref_slot=True)
class Watched:
    """A request that has had a turn here, and those beside it with the same source and id."""

    record: Record
    envelope: Envelope
    beside: "WeakSet[Watched]"
    withdrawal: Withdrawal = field(default_factory=Withdrawal)

    def hear(self, cancel: Cancel) -> bool:
        """Tell whether the cancel concerns this request; if so it is withdrawn."""
        if not cancel.concerns(self.envelope):
            return False
        self.withdrawal.withdraw(cancel.message)
        return True


class Cancellations:
    """Cancels by source and id; of several for one request the latest counts."""

    def __init__(self, *, at_most: int = REMEMBERED_AT_MOST, keep_s: float = REMEMBERED_S) -> None:
        self.wake: Callable[[Record], None] = lambda _: None
        """Asks the engine to give a waiting record its turn now."""
        self.forgotten = 0
        """How many cancels were forgotten before their time, because there were too many."""
        self._at_most = at_most
        self._keep_s = keep_s
        self._remembered: OrderedDict[bytes, tuple[float, Cancel]] = OrderedDict()
        self._here: WeakValueDictionary[bytes, WeakSet[Watched]] = WeakValueDictionary()

    @property
    def remembered(self) -> int:
        """Return how many are remembered."""
        return len(self._remembered)

    def note(self, cancel: Cancel, now: float) -> None:
        """Remember a cancel that was read at `now`, and tell the requests it concerns."""
        self._remember(cancel, now)
        for request in list(self._here.get(cancel.request, ())):
            if request.hear(cancel):
                self.wake(request.record)

    def watch(self, envelope: Envelope, record: Record, now: float) -> Watched:
        """Return the request's withdrawal, which may have come already; keep what is returned."""
        key = key_of(envelope.identity.source, envelope.identity.id)
        beside = self._here.get(key)
        if beside is None:
            beside = self._here[key] = WeakSet()
        request = Watched(record, envelope, beside)
        beside.add(request)
        until, cancel = self._remembered.get(key, (now, None))
        if cancel is not None and now < until:
            request.hear(cancel)
        return request

    def _remember(self, cancel: Cancel, now: float) -> None:
        _, known = self._remembered.pop(cancel.request, (now, None))
        if known is not None and known.timestamp_ms > cancel.timestamp_ms:
            cancel = known
        self._remembered[cancel.request] = (now + self._keep_s, cancel)
        while self._remembered:
            oldest, (until, _) = next(iter(self._remembered.items()))
            if now < until and len(self._remembered) <= self._at_most:
                return
            self.forgotten += now < until
            del self._remembered[oldest]


def key_of(source: str, id_: str) -> bytes:
    """Return a name of fixed length: what is remembered must not grow with what others send."""
    return blake2b(f"{source}\n{id_}".encode(), digest_size=16).digest()
