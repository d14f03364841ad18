"""What the tests of the contract make their records and envelopes with."""

from collections.abc import Mapping

import pytest

from jiraiya_events.contract.envelope import Envelope, read_envelope
from jiraiya_events.contract.event_types import EventType
from tests.unit.contract.wire import EnvelopeReader, Json, Record, RecordMaker, make_record


@pytest.fixture
def record() -> RecordMaker:
    """Make a record."""
    return make_record


@pytest.fixture
def read() -> EnvelopeReader:
    """Read an envelope as the service does."""

    def reader(
        body: Json = None,
        headers: Mapping[str, str | bytes | None] | None = None,
        expected: EventType = EventType.REQUESTED,
        max_event_bytes: int = 32768,
    ) -> Envelope:
        made = body if isinstance(body, Record) else make_record(body, headers)
        return read_envelope(made, max_event_bytes=max_event_bytes, expected=expected)

    return reader
