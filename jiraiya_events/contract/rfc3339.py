"""RFC 3339 date-times to and from seconds since the Unix epoch."""

import re
from datetime import UTC, datetime
from typing import Final

_DATE_TIME: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}:)([0-9]{2})"
    r"(\.[0-9]{1,12})?(?:[Zz]|([+-][0-9]{2}:[0-9]{2}))"
)
_LEAP: Final = "60"
_FIRST: Final = datetime(1, 1, 2, tzinfo=UTC)
_LAST: Final = datetime(9999, 12, 30, 23, 59, 59, tzinfo=UTC)
"""A day from the ends of what Python knows: these exist in every time zone."""


def parse_rfc3339(text: str) -> float | None:
    """Return the seconds since the epoch, or None when `text` is no such moment since 1970.

    `datetime.fromisoformat` alone would also take dates, week numbers and times without an
    offset. A leap second counts as the second after it, as POSIX time does.
    """
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        return None
    day, minute, second, fraction, offset = match.groups()
    leap = second == _LEAP
    moment = f"{day}T{minute}{'59' if leap else second}{fraction or ''}{offset or '+00:00'}"
    try:
        seconds = datetime.fromisoformat(moment).timestamp() + leap
    except ValueError:
        return None
    return seconds if seconds >= 0 else None


def moment_of(seconds: float) -> datetime:
    """Return the moment in UTC; one beyond the calendar is the last, or first, that it has.

    Kafka's timestamps are any 64 bits.
    """
    return datetime.fromtimestamp(min(max(seconds, _FIRST.timestamp()), _LAST.timestamp()), UTC)


def format_rfc3339(seconds: float) -> str:
    """Return the moment in UTC with milliseconds, such as `2026-01-31T12:00:00.000Z`."""
    moment = moment_of(seconds)
    return f"{moment.isoformat(timespec='milliseconds')[:-6]}Z"
