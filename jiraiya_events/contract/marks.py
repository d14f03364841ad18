"""Which dead letters an operator has dealt with: a compacted record for each.

The key is `partition:offset` of the dead letter, the value JSON: `{"action": "replayed", "at":
"2026-01-31T12:00:00.000Z"}`. A mark commits in the transaction of what it speaks of.
"""

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from jiraiya_events.contract.rfc3339 import format_rfc3339, parse_rfc3339

_KEY: Final = re.compile(rb"([0-9]{1,10}):([0-9]{1,19})")


class Action(StrEnum):
    """What was done; `HANDLED` is a mark of another release, which is respected all the same."""

    REPLAYED = "replayed"
    DISCARDED = "discarded"
    HANDLED = "handled"


@dataclass(frozen=True, slots=True)
class Mark:
    """What was done with a dead letter and when, in seconds since the Unix epoch."""

    action: Action
    at: float


def mark_key(partition: int, offset: int) -> bytes:
    """Return the key of the mark of the dead letter at this position."""
    return b"%d:%d" % (partition, offset)


def read_mark_key(key: bytes | None) -> tuple[int, int] | None:
    """Return partition and offset of the dead letter; None when `key` is not a mark's."""
    match = _KEY.fullmatch(key or b"")
    return None if match is None else (int(match[1]), int(match[2]))


def encode_mark(mark: Mark) -> bytes:
    """Return the value of a mark."""
    return json.dumps({"action": mark.action.value, "at": format_rfc3339(mark.at)}).encode()


def decode_mark(value: bytes) -> Mark:
    """Read a mark; never raises: one we cannot read still says that its dead letter is done.

    To take it for no mark would replay a second time.
    """
    try:
        document = json.loads(value)
        action = Action(document["action"])
        at = parse_rfc3339(document["at"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return Mark(Action.HANDLED, 0.0)
    return Mark(action, at or 0.0)
