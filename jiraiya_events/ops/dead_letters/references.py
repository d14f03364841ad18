"""What an operator calls a dead letter."""

import re
from dataclasses import dataclass
from typing import Final

from jiraiya_events.contract.letters import DeadLetter, Origin

_PLACE: Final = re.compile(r"([0-9]{1,9}):([0-9]{1,18})")
_ORIGIN: Final = re.compile(r"([A-Za-z0-9._-]{1,249})/([0-9]{1,9})/([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a dead letter stands in the dead letters' topic."""

    partition: int
    offset: int

    def __str__(self) -> str:
        """Return `partition:offset`."""
        return f"{self.partition}:{self.offset}"


Reference = Place | Origin
"""A dead letter by its own place, or by that of the request it was."""


def read_reference(text: str, dlq: str) -> Reference | None:
    """Read `partition:offset` or `topic/partition/offset`; None when it is neither.

    With the dead letters' own topic, `dlq`, the second form names a place as well.
    """
    place = _PLACE.fullmatch(text)
    if place is not None:
        return Place(int(place[1]), int(place[2]))
    origin = _ORIGIN.fullmatch(text)
    if origin is None:
        return None
    if origin[1] == dlq:
        return Place(int(origin[2]), int(origin[3]))
    return Origin(origin[1], int(origin[2]), int(origin[3]))


def names_of(letter: DeadLetter) -> tuple[Reference | None, ...]:
    """Return all that this dead letter may be called."""
    return Place(letter.partition, letter.offset), letter.origin
