"""What the engine moves: records in, outputs out, and the progress between them.

Nobody changes a record or an output after it was made. They are not frozen: with hundreds of
thousands of them that costs a microsecond each.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

Headers = Sequence[tuple[str, bytes | None]]


class Partition(NamedTuple):
    """One partition of one input topic."""

    topic: str
    partition: int


@dataclass(slots=True)
class Record:
    """One record of the log, as it was read; `size` is what it weighs in memory, in bytes."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()

    size: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Weigh key, value and headers."""
        size = len(self.key or b"") + len(self.value or b"")
        for name, value in self.headers:
            size += len(name) + len(value or b"")
        self.size = size


@dataclass(slots=True)
class Output:
    """One record to publish; `smaller` replaces it when the log finds it too large.

    Without a `partition` it goes where its key belongs.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    smaller: "Output | None" = None
    partition: int | None = None


@dataclass(frozen=True, slots=True)
class Committed:
    """The input's progress as the log holds it; `offset` is None before the first commit."""

    offset: int | None
    metadata: str = ""
