"""A Kafka record as this package needs to see it; any object of this shape will do."""

from collections.abc import Sequence
from typing import Protocol

WireHeaders = Sequence[tuple[str, bytes | None]]
"""Headers as they come from the wire: names may repeat, values may be null or not text."""


class RecordLike(Protocol):
    """One record of a topic partition."""

    @property
    def topic(self) -> str:
        """The topic it was read from."""
        ...

    @property
    def partition(self) -> int:
        """The partition it was read from."""
        ...

    @property
    def offset(self) -> int:
        """Its offset in the partition."""
        ...

    @property
    def timestamp_ms(self) -> int:
        """Milliseconds since the Unix epoch."""
        ...

    @property
    def key(self) -> bytes | None:
        """The ordering key, or None."""
        ...

    @property
    def value(self) -> bytes | None:
        """The value, or None for a tombstone."""
        ...

    @property
    def headers(self) -> WireHeaders:
        """The headers in their order."""
        ...


def position_of(record: RecordLike) -> str:
    """Return `topic:partition:offset`, the id of a record that has none of its own."""
    return f"{record.topic}:{record.partition}:{record.offset}"
