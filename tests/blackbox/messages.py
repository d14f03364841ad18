"""Records as the examiner reads them from the topics."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Message

Headers = tuple[tuple[str, bytes | None], ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """One record, read with `read_committed`."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers

    @property
    def position(self) -> tuple[int, int]:
        """Return partition and offset: for an input, what its outputs refer to."""
        return self.partition, self.offset

    def header(self, name: str) -> str | None:
        """Return the text of a header, the last of duplicates; None when there is none."""
        found = [value for header, value in self.headers if header == name]
        return found[-1].decode() if found and found[-1] is not None else None

    @property
    def request(self) -> tuple[int, int]:
        """Return partition and offset of the request that an output answers."""
        return int(self.header("x-request-partition") or -1), int(self.header("ce_sequence") or -1)

    @property
    def body(self) -> Any:
        """Return the value as JSON."""
        return json.loads(self.value or b"null")


def seen(message: Message) -> Seen:
    """Return confluent-kafka's message as a plain value."""
    return Seen(
        topic=message.topic() or "",
        partition=message.partition() or 0,
        offset=message.offset() or 0,
        timestamp_ms=message.timestamp()[1],
        key=message.key(),
        value=message.value(),
        headers=tuple((pair[0], _bytes(pair[1])) for pair in message.headers() or ()),
    )


def _bytes(value: str | bytes | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value


def by_topic(records: Iterable[Seen]) -> Mapping[str, list[Seen]]:
    """Return the records of each topic, in the order they were read."""
    topics: dict[str, list[Seen]] = {}
    for record in records:
        topics.setdefault(record.topic, []).append(record)
    return topics
