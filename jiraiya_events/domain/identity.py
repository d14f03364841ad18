"""Who a request is: its source, its id and which attempt at it this is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RequestIdentity:
    """`(source, id)` names the wish; `attempt` is 1 + the replays of it so far."""

    source: str
    id: str
    attempt: int = 1
