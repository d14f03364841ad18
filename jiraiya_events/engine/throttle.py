"""Back-pressure: a partition's intake pauses at a limit and resumes well below it."""

from jiraiya_events.engine.limits import Limits
from jiraiya_events.engine.ports import Intake
from jiraiya_events.engine.records import Partition
from jiraiya_events.engine.tracker import OffsetTracker

RESUME_AT = 0.75
"""Intake resumes at this share of a limit, so that it does not flap around it."""

METADATA_CHARS = 3_500
"""Intake pauses when the last committed map was longer than this (hard limit 4,096 bytes)."""


class Shares:
    """What one partition may hold: its own limit, or its equal part of the process's.

    An equal part rather than first come, first served: a partition whose records all wait could
    otherwise hold everything, and the others would not even be read.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.divide(1)

    def divide(self, partitions: int) -> None:
        """Share the process's limits among this many partitions."""
        limits, parts = self._limits, max(1, partitions)
        self.accepted = max(1, min(limits.accepted, limits.accepted_in_all // parts))
        self.bytes = max(1, min(limits.accepted_bytes, limits.accepted_bytes_in_all // parts))


class Throttle:
    """Knows what is accepted and how much it weighs; `adjust` acts on it."""

    def __init__(self, partition: Partition, intake: Intake, shares: Shares) -> None:
        self._partition = partition
        self._intake = intake
        self._shares = shares
        self._paused = True
        self.bytes = 0
        self.metadata_chars = 0

    def restart(self) -> None:
        """Pause, whatever was before: a new assignment knows nothing of earlier pauses."""
        self._paused = True
        self._intake.pause(self._partition)

    def take_in(self, size: int, tracker: OffsetTracker) -> None:
        """Note one more record of `size` bytes, which the tracker has; it may be too much."""
        self.bytes += size
        if (
            tracker.accepted >= self._shares.accepted
            or self.bytes >= self._shares.bytes
            or self.metadata_chars >= METADATA_CHARS
        ):
            self.adjust(tracker)

    def adjust(self, tracker: OffsetTracker) -> None:
        """Pause or resume for what was read and not committed."""
        share = self._filled(tracker)
        if self._paused and share < RESUME_AT:
            self._paused = False
            self._intake.resume(self._partition)
        elif not self._paused and share >= 1:
            self._paused = True
            self._intake.pause(self._partition)

    def _filled(self, tracker: OffsetTracker) -> float:
        if not tracker.accepted:
            return 0.0  # nothing here could ever finish and lower it
        held = max(tracker.accepted / self._shares.accepted, self.bytes / self._shares.bytes)
        if tracker.unread:
            return held  # the map has these already: to read them makes it no longer
        return max(held, self.metadata_chars / METADATA_CHARS)
