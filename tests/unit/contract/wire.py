"""Records as a producer might send them, and what reads them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from jiraiya_events.contract.envelope import Envelope
from jiraiya_events.contract.event_types import EventType
from jiraiya_events.domain.errors import RequestFailure

PLAIN = {"request_id": "r-1", "user_id": "u-1", "keywords": ["dragon"]}

Json = Any


@dataclass(frozen=True)
class Record:
    """A record of the requests topic."""

    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = ()
    topic: str = "story.requested"
    partition: int = 3
    offset: int = 42
    timestamp_ms: int = 1_700_000_000_000
    key: bytes | None = b"u-1"


def make_record(
    body: Json = None, headers: Mapping[str, str | bytes | None] | None = None
) -> Record:
    """Return a record; text headers and JSON bodies are encoded, bytes stay as they are."""
    value = body if isinstance(body, bytes) else json.dumps(body or PLAIN).encode()
    pairs = (
        (name, text.encode() if isinstance(text, str) else text)
        for name, text in (headers or {}).items()
    )
    return Record(value, tuple(pairs))


class EnvelopeReader(Protocol):
    """Reads an envelope from a record, or from what makes one."""

    def __call__(
        self,
        body: Json = None,
        headers: Mapping[str, str | bytes | None] | None = None,
        expected: EventType = EventType.REQUESTED,
        max_event_bytes: int = 32768,
    ) -> Envelope:
        """Return the envelope."""
        ...


class RecordMaker(Protocol):
    """Makes a record from a JSON body or bytes, and headers."""

    def __call__(
        self, body: Json = None, headers: Mapping[str, str | bytes | None] | None = None
    ) -> Record:
        """Return the record."""
        ...


def problem_of(envelope: Envelope) -> RequestFailure:
    """Return the problem the envelope must have."""
    assert envelope.problem is not None
    return envelope.problem
