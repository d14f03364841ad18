"""From a dead letter back to the record it was, to be published once more.

The id of a replay is the one the first attempt went by. Where that was the record's position it
travels in `x-replay-id`, since the replay has a position of its own.
"""

from dataclasses import dataclass, replace
from typing import Final

from jiraiya_events.contract.dead_letters import PREFIX
from jiraiya_events.contract.envelope import Envelope, read_envelope
from jiraiya_events.contract.letters import DeadLetter, Origin
from jiraiya_events.contract.record import WireHeaders
from jiraiya_events.contract.requests import read_request
from jiraiya_events.domain.codes import ErrorCode, Stage
from jiraiya_events.domain.errors import RequestFailure

_ANEW: Final = frozenset({"x-replay-count", "x-replay-of", "x-replay-id", "ce_expirytime"})
_EDITED: Final = "x-replay-edited"


@dataclass(frozen=True, slots=True)
class Replay:
    """A record to publish to `topic` and `partition`, with a timestamp of its own.

    `offset` and `timestamp_ms` are the original's: what an envelope without an id goes by.
    """

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: WireHeaders


def original_envelope(letter: DeadLetter, origin: Origin) -> Envelope:
    """Return the envelope as the service read it when the request failed."""
    kept = [pair for pair in letter.headers if not pair[0].lower().startswith(PREFIX)]
    # What was not looked into then is not now, whatever the limit is by now: its id was the
    # position unless a header named one.
    record = _record(letter, origin, kept)
    if letter.unread:
        record = replace(record, value=None)
    return read_envelope(record, max_event_bytes=len(letter.value or b""))


def replay_of(letter: DeadLetter, origin: Origin) -> Replay:
    """Return the replay of a dead letter that is whole; the one place where replays are made.

    Headers keep their order, their bytes and their repetitions, less `x-dlq-*` and
    `ce_expirytime`; ours follow. Whoever signs requests would sign it here.
    """
    envelope = original_envelope(letter, origin)
    # What was never replayed was never edited, whatever its sender says.
    dropped = _ANEW if letter.replays else _ANEW | {_EDITED}
    headers: list[tuple[str, bytes | None]] = [
        pair
        for pair in letter.headers
        if not pair[0].lower().startswith(PREFIX) and pair[0].lower() not in dropped
    ]
    headers.append(("x-replay-count", b"%d" % (letter.replays + 1)))
    headers.append(("x-replay-of", letter.reference.encode()))
    if envelope.anonymous:
        headers.append(("x-replay-id", envelope.identity.id.encode()))
    return _record(letter, origin, headers)


def edited_replay_of(
    letter: DeadLetter, origin: Origin, value: bytes, max_event_bytes: int
) -> Replay:
    """Return the replay with another value.

    Raises `RequestFailure`: it would be no valid request, or not the same one.
    """
    plain = replay_of(letter, origin)
    headers = [pair for pair in plain.headers if pair[0].lower() != _EDITED]
    replay = Replay(
        plain.topic,
        plain.partition,
        plain.offset,
        plain.timestamp_ms,
        plain.key,
        value,
        [*headers, (_EDITED, b"true")],
    )
    envelope = read_envelope(replay, max_event_bytes=max_event_bytes)
    read_request(envelope)
    before, after = original_envelope(letter, origin).identity, envelope.identity
    if (before.source, before.id) != (after.source, after.id):
        message = (
            f"source and id: must stay {before.source} and {before.id}, "
            f"not become {after.source} and {after.id}"
        )
        raise RequestFailure(ErrorCode.INVALID_EVENT, message, stage=Stage.VALIDATE)
    return replay


def _record(letter: DeadLetter, origin: Origin, headers: WireHeaders) -> Replay:
    return Replay(
        origin.topic,
        origin.partition,
        origin.offset,
        letter.timestamp_ms,
        letter.key,
        letter.value,
        headers,
    )
