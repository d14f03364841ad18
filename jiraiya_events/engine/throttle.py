"""Back-pressure of one partition: its intake pauses at a limit and resumes well below it."""

from jiraiya_events.engine.limits import Limits
from jiraiya_events.engine.ports import Intake
from jiraiya_events.engine.records import Partition

RESUME_AT = 0.75
"""Intake resumes at this share of a limit, so that it does not flap around it."""

METADATA_CHARS = 3_500
"""Intake pauses when the last committed map was longer than this (hard limit 4,096 bytes)."""


class Throttle:
    """Knows what is accepted and how much it weighs; `adjust` acts on it."""

    def __init__(self, partition: Partition, intake: Intake, limits: Limits) -> None:
        self._partition = partition
        self._intake = intake
        self._limits = limits
        self._paused = True
        self.bytes = 0
        self.metadata_chars = 0

    def restart(self) -> None:
        """Pause, whatever was before: a new assignment knows nothing of earlier pauses."""
        self._paused = True
        self._intake.pause(self._partition)

    def take_in(self, size: int, accepted: int) -> None:
        """Note one more record of `size` bytes, the last of `accepted`; it may be too much."""
        self.bytes += size
        if (
            accepted >= self._limits.accepted
            or self.bytes >= self._limits.accepted_bytes
            or self.metadata_chars >= METADATA_CHARS
        ):
            self.adjust(accepted)

    def adjust(self, accepted: int) -> None:
        """Pause or resume for this many records that were read and not committed."""
        share = self._filled(accepted)
        if self._paused and share < RESUME_AT:
            self._paused = False
            self._intake.resume(self._partition)
        elif not self._paused and share >= 1:
            self._paused = True
            self._intake.pause(self._partition)

    def _filled(self, accepted: int) -> float:
        if not accepted:
            return 0.0  # nothing here could ever finish and lower it
        return max(
            accepted / self._limits.accepted,
            self.bytes / self._limits.accepted_bytes,
            self.metadata_chars / METADATA_CHARS,
        )
