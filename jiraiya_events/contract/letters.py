"""A dead letter as it is read back: what died, where it was, and why."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from jiraiya_events.contract.dead_letters import PREFIX
from jiraiya_events.contract.headers import text_of
from jiraiya_events.contract.record import WireHeaders
from jiraiya_events.contract.rfc3339 import parse_rfc3339

UNKNOWN: Final = "unknown"
"""The code of a record in the dead letters' topic that does not say why it is there."""

_NUMBER: Final = re.compile(r"[0-9]{1,19}")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the request was; as text it is the `dlq_reference` of its `story.failed`."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        """Return `topic/partition/offset`."""
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass(slots=True)
class DeadLetter:
    """One record of the dead letters' topic; nobody changes it after it was made.

    `story` has the text of its `x-dlq-*` headers by the part of the name behind the prefix.
    """

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: WireHeaders
    story: Mapping[str, str | None] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Read our headers once."""
        cut = len(PREFIX)
        self.story = {
            name[cut:].lower(): text_of(value)
            for name, value in self.headers
            if name[:cut].lower() == PREFIX
        }

    @property
    def reference(self) -> str:
        """How operators name it: `partition:offset`."""
        return f"{self.partition}:{self.offset}"

    @property
    def origin(self) -> Origin | None:
        """Where the request was; None when the record does not say."""
        topic = self.story.get("topic")
        partition, offset = self._number("partition"), self._number("offset")
        if not topic or partition is None or offset is None:
            return None
        return Origin(topic, partition, offset)

    @property
    def code(self) -> str:
        """The error code, as text: a newer release may know more of them."""
        return self.story.get("error-code") or UNKNOWN

    @property
    def message(self) -> str:
        """Why, in words."""
        return self.story.get("error-message") or ""

    @property
    def failed_at(self) -> float:
        """When it was given up, in seconds since the Unix epoch."""
        told = parse_rfc3339(self.story.get("failed-at") or "")
        return self.timestamp_ms / 1000 if told is None else told

    @property
    def tries(self) -> int:
        """Model calls of the attempt that failed."""
        return self._number("tries") or 0

    @property
    def replays(self) -> int:
        """How often the request had been replayed when it failed."""
        return self._number("replay-count") or 0

    @property
    def truncated(self) -> bool:
        """Whether the broker found it too large, so that its value was not kept."""
        return self.story.get("truncated") is not None

    @property
    def unread(self) -> bool:
        """Whether its value, and an id in it, was not looked into when it was given up."""
        return self.story.get("unread") is not None

    def _number(self, name: str) -> int | None:
        text = self.story.get(name)
        return int(text) if text is not None and _NUMBER.fullmatch(text) else None
