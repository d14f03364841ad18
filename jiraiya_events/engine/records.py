"""What the engine moves: records in, outputs out, and the progress between them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

Headers = Sequence[tuple[str, bytes | None]]


class Partition(NamedTuple):
    """One partition of one input topic."""

    topic: str
    partition: int


@dataclass(frozen=True, slots=True)
class Record:
    """One record of the log, as it was read."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()

    @property
    def size(self) -> int:
        """Bytes of key, value and headers: what the record weighs in memory."""
        size = len(self.key or b"") + len(self.value or b"")
        for name, value in self.headers:
            size += len(name) + len(value or b"")
        return size


@dataclass(frozen=True, slots=True)
class Output:
    """One record to publish; `smaller` replaces it when the log finds it too large."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    smaller: "Output | None" = None


@dataclass(frozen=True, slots=True)
class Committed:
    """The input's progress as the log holds it; `offset` is None before the first commit."""

    offset: int | None
    metadata: str = ""
