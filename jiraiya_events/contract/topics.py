"""The seven topics; every name is a setting."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topics:
    """The names of the topics, with the contract's defaults."""

    requested: str = "story.requested"
    generated: str = "story.generated"
    failed: str = "story.failed"
    dlq: str = "story.requested.dlq"
    marks: str = "story.requested.dlq.marks"
    cancelled: str = "story.cancelled"
    progress: str = "story.progress"

    @property
    def optional(self) -> frozenset[str]:
        """The topics without which only what they are for is missing."""
        return frozenset({self.cancelled, self.progress})
