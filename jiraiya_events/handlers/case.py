"""One request on its way: what was read of it, and what it has used up so far."""

from dataclasses import dataclass, field

from jiraiya_events.contract.envelope import Envelope
from jiraiya_events.domain.request import StoryRequested
from jiraiya_events.generation.progress import Progress
from jiraiya_events.generation.result_store import Lease
from jiraiya_events.handlers.cancellations import Watched
from jiraiya_events.handlers.progress_feed import ProgressFeed


@dataclass(slots=True)
class Case:
    """Kept in the engine's `Work.memory` from a record's first turn to its last.

    `deadline` and `started_at` are seconds since the Unix epoch; `started_at` is when its first
    turn came, `turns_s` how long its turns have taken. `feed` is there when the request
    asked for its progress, `counted` is True once the user's limit has seen it.
    """

    envelope: Envelope
    request: StoryRequested
    fingerprint: str
    deadline: float
    started_at: float
    lease: Lease
    watched: Watched
    progress: Progress = field(default_factory=Progress)
    turns_s: float = 0.0
    feed: ProgressFeed | None = None
    counted: bool = False

    def turned(self, began: float, ended: float) -> None:
        """Add one turn, from and to these seconds since the Unix epoch."""
        self.turns_s += ended - began

    @property
    def ours_s(self) -> float:
        """Return how much of its time was ours: in a turn, and not at a model."""
        return max(0.0, self.turns_s - self.progress.calling_s)
