"""Records as this client hands them on: decoded where they can be, whole in any case."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jiraiya_events.contract.event_types import EventType
from jiraiya_events.domain.outcome import Outcome, StoryFailed, StoryGenerated


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    r"""One record of a topic; `timestamp_ms` is since the Unix epoch.

    In a header's value a byte that is no UTF-8 is written `\xff`, in its name it is a lone
    surrogate; of duplicates the last wins.
    """

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, str]

    @property
    def request_id(self) -> str | None:
        """The id of the request that caused this event."""
        return self.headers.get("ce_causationid")

    @property
    def type(self) -> str | None:
        """The `ce_type`."""
        return self.headers.get("ce_type")

    def json(self) -> Any:  # noqa: ANN401 - whatever JSON holds
        """Return the value as JSON; raises ValueError when it is none."""
        return json.loads(self.value or b"")


def received(record: Any) -> Received:  # noqa: ANN401 - aiokafka's ConsumerRecord is untyped
    """Return what aiokafka delivered."""
    return Received(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        timestamp_ms=record.timestamp,
        key=record.key,
        value=record.value,
        headers={
            name: (value or b"").decode("utf-8", "backslashreplace")
            for name, value in record.headers
        },
    )


def read_outcome(record: Received) -> Outcome | None:
    """Return the outcome in the record; None when it is of another type or unreadable."""
    models: dict[EventType, type[StoryGenerated | StoryFailed]] = {
        EventType.GENERATED: StoryGenerated,
        EventType.FAILED: StoryFailed,
    }
    try:
        kind = models[EventType(record.type or "")]
        return kind.model_validate_json(record.value or b"")
    except (KeyError, ValueError):  # pydantic's ValidationError is one
        return None
