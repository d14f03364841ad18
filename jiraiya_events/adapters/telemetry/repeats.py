"""One line instead of thousands: a warning that repeats is written once in a while."""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Final

MOST_REMEMBERED: Final = 1000


class Repeats(logging.Filter):
    """Lets the same warning of the same request through once every `every_s` seconds.

    The next line that passes says how many were held back, as `repeated`.
    """

    def __init__(self, every_s: float, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._every_s = every_s
        self._now = now
        self._seen: dict[tuple[object, ...], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is written."""
        if record.levelno < logging.WARNING:
            return True
        now, line = self._now(), _line(record)
        written_at, held_back = self._seen.get(line, (None, 0))
        if written_at is not None and now - written_at < self._every_s:
            self._seen[line] = (written_at, held_back + 1)
            return False
        if len(self._seen) >= MOST_REMEMBERED:
            self._seen.clear()
        self._seen[line] = (now, 0)
        record.repeated = held_back
        return True


def _line(record: logging.LogRecord) -> tuple[object, ...]:
    if isinstance(record.msg, Mapping):
        event = record.msg
        return (record.name, record.levelno, event.get("event"), event.get("request_id"))
    return (record.name, record.levelno, record.getMessage())
