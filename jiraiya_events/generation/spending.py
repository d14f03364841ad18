"""What limits users and spending: the ports, and how much one call's prompt can count at most."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, Protocol

_MARGIN: Final = 512
"""Tokens for what is sent beside the texts: the schema of the answer, about 250 bytes, and the
words in which providers put it before the model."""

_MARGIN_PER_MESSAGE: Final = 16
"""Tokens for the marks around a message, its role among them."""


def input_tokens_at_most(texts: Iterable[str]) -> int:
    """Return a bound on the input tokens of a call with these messages.

    A token stands for at least one byte of UTF-8, whatever the tokenizer: what it has no longer
    token for is split into bytes. Most stand for several, so the bound is too high by as much; what
    a call did cost takes its place when the call is over.
    """
    return _MARGIN + sum(_MARGIN_PER_MESSAGE + len(text.encode()) for text in texts)


Scope = Literal["user", "service"]


@dataclass(frozen=True, slots=True)
class Reservation:
    """Money set aside for one call: the most it can cost, in pico-dollars.

    `key` is unique to one call: another one for the same request costs as well. With `user_id`
    None only the service's budget counts. `now`, in seconds since the Unix epoch, decides the UTC
    day on which the call is booked, however late it ends.
    """

    key: str
    user_id: str | None
    pico_usd: int
    now: float


@dataclass(frozen=True, slots=True)
class OverBudget:
    """A reservation does not fit any more; `retry_after_s` is the time until midnight UTC."""

    scope: Scope
    retry_after_s: float


class Spending(Protocol):
    """Sums of a UTC day, for each user and for the service: what was spent and what is reserved.

    What a crash leaves reserved counts as spent for that day. Both methods raise
    `StoreUnavailable`.
    """

    async def reserve(self, wanted: Reservation, now: float) -> OverBudget | None:
        """Add the reservation to the sums of its day, unless that passes a budget.

        Atomic over both sums and everybody who reserves at the same time: both or none, and
        refused means that nothing changed.
        """
        ...

    async def settle(self, wanted: Reservation, pico_usd: int) -> None:
        """Put what the call did cost in the place of the reservation, also when it is more.

        Nothing happens when nothing is reserved under the key (any more): so a settlement whose
        answer got lost may be sent again, and one of a reservation that may never have arrived.
        """
        ...


class UserLimits(Protocol):
    """How many requests a user may make in a time."""

    async def check(self, user_id: str) -> float:
        """Return 0 when the request is within the limit, and count it.

        Else it is not counted, and the seconds until the next one fits are returned. Raises
        `StoreUnavailable`.
        """
        ...
