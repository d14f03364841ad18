"""Records of `story.cancelled`, read as liberally as requests; what cannot be read is skipped."""

from typing import Final

import regex
import structlog

from jiraiya_events.contract.envelope import read_envelope
from jiraiya_events.contract.event_types import EventType
from jiraiya_events.contract.requests import read_cancel
from jiraiya_events.domain.clock import Clock
from jiraiya_events.domain.errors import RequestFailure
from jiraiya_events.engine.records import Record
from jiraiya_events.generation.sanitize import clean_field
from jiraiya_events.handlers.cancellations import Cancel, Cancellations, key_of

log = structlog.get_logger(__name__)

WITHDRAWN: Final = "The request was withdrawn."

# Words of a language and its punctuation: no markup, no addresses, nothing as long as a key.
_WORDS: Final = regex.compile(
    r"(?!.*[A-Za-z0-9-]{25})"
    r"[\p{L}\p{M}\p{N}\p{Zs}\u200C\u200D.,;:!?'\"()\-[\p{P}--[\x00-\x7F]]]+",
    regex.V1,
)


class CancelReader:
    """Feeds `Cancellations`; `skipped` counts what was no cancel."""

    def __init__(self, cancellations: Cancellations, clock: Clock, max_event_bytes: int) -> None:
        self._cancellations = cancellations
        self._clock = clock
        self._max_event_bytes = max_event_bytes
        self.skipped = 0

    def take(self, record: Record) -> None:
        """Take in one record; never raises."""
        try:
            cancel = self._read(record)
        except RequestFailure as failure:
            self._skip(record, failure.message)
        else:
            self._note(cancel)

    def _read(self, record: Record) -> Cancel:
        envelope = read_envelope(
            record, max_event_bytes=self._max_event_bytes, expected=EventType.CANCELLED
        )
        payload = read_cancel(envelope)
        return Cancel(
            request=key_of(envelope.identity.source, payload.request_id),
            timestamp_ms=record.timestamp_ms,
            message=_message(payload.reason),
        )

    def _note(self, cancel: Cancel) -> None:
        forgotten = self._cancellations.forgotten
        self._cancellations.note(cancel, self._clock.now())
        if self._cancellations.forgotten > forgotten:
            log.warning(
                "too many cancellations to remember: the oldest are forgotten",
                remembered=self._cancellations.remembered,
                forgotten=self._cancellations.forgotten,
            )

    def _skip(self, record: Record, reason: str) -> None:
        self.skipped += 1
        log.warning(
            "a cancellation cannot be read and is skipped",
            reason=reason,
            skipped=self.skipped,
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
        )


def _message(reason: str | None) -> str:
    """Return what the user is told; a reason that is more than plain words is left out."""
    words = clean_field(reason or "").strip()
    return f"{WITHDRAWN} Reason: {words}" if _WORDS.fullmatch(words) else WITHDRAWN
