"""The headers of a dead letter: the original ones, less credentials, and what happened to it."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from jiraiya_events.contract.credentials import is_credential
from jiraiya_events.contract.envelope import Envelope
from jiraiya_events.contract.record import RecordLike
from jiraiya_events.contract.rfc3339 import format_rfc3339
from jiraiya_events.domain.codes import ErrorCode

PREFIX: Final = "x-dlq-"
HEADROOM_BYTES: Final = 64 * 1024
"""How much larger than the input's the `max.message.bytes` of the dead-letter topic is."""

DeadLetterHeaders = tuple[tuple[str, bytes | None], ...]

_MESSAGE_CHARACTERS: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """Why a record was given up; `failed_at` is in seconds since the Unix epoch."""

    code: ErrorCode
    message: str
    tries: int
    failed_at: float
    service_version: str
    unread: bool = False
    """The value was not looked at: an id that stands only there is not known."""


def dead_letter_headers(record: RecordLike, envelope: Envelope, death: Death) -> DeadLetterHeaders:
    """Return the headers of the dead letter, whose key and value are the record's own.

    The original headers keep their order and their bytes, text or not, null or not; credentials
    and earlier `x-dlq-*` are left out.
    """
    kept = [
        (name, value)
        for name, value in record.headers
        if not name.lower().startswith(PREFIX) and not is_credential(name)
    ]
    return (*kept, *_story_of(record, envelope, death))


def truncated_headers(headers: DeadLetterHeaders, value: bytes | None) -> DeadLetterHeaders:
    """Return the headers of a dead letter that was too large; its value is then null."""
    body = value or b""
    return (
        *headers,
        ("x-dlq-truncated", b"true"),
        ("x-dlq-size", b"%d" % len(body)),
        ("x-dlq-sha256", sha256(body).hexdigest().encode()),
    )


def only_dead_letter_headers(headers: DeadLetterHeaders) -> DeadLetterHeaders:
    """Return the `x-dlq-*` alone: the last resort where the original headers are too large.

    `x-dlq-headers-dropped: true` says that it came to this.
    """
    ours = (pair for pair in headers if pair[0].lower().startswith(PREFIX))
    return (*ours, ("x-dlq-headers-dropped", b"true"))


def _story_of(
    record: RecordLike, envelope: Envelope, death: Death
) -> tuple[tuple[str, bytes], ...]:
    texts = (
        ("topic", record.topic),
        ("partition", str(record.partition)),
        ("offset", str(record.offset)),
        ("timestamp", str(record.timestamp_ms)),
        ("error-code", death.code.value),
        ("error-message", " ".join(death.message.split())[:_MESSAGE_CHARACTERS]),
        ("tries", str(death.tries)),
        ("failed-at", format_rfc3339(death.failed_at)),
        ("service-version", death.service_version),
        ("replay-count", str(envelope.identity.attempt - 1)),
        *((("unread", "true"),) if death.unread else ()),
    )
    return tuple((PREFIX + name, text.encode(errors="replace")) for name, text in texts)
