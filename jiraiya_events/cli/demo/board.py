"""What the demo knows: requests by user, how far each is, and the newest story. Pure."""

from dataclasses import dataclass, field
from enum import Enum

from jiraiya_events.domain.outcome import Outcome, StoryGenerated
from jiraiya_events.domain.story import Cost


class Mark(Enum):
    """How far a request is; of a user's waiting ones the first is being worked on."""

    WAITING = "waiting"
    WRITING = "writing"
    DONE = "done"
    FAILED = "failed"


@dataclass(slots=True)
class Entry:
    """One request on the board."""

    user: str
    about: str
    outcome: Outcome | None = None


@dataclass(slots=True)
class Board:
    """Entries in the order they were published; times in seconds of the event loop."""

    entries: dict[str, Entry] = field(default_factory=dict)
    newest: StoryGenerated | None = None
    log: list[str] = field(default_factory=list)

    def published(self, request_id: str, user: str, about: str) -> None:
        """Put a request on the board."""
        self.entries[request_id] = Entry(user, about)

    def ended(self, request_id: str, outcome: Outcome) -> str:
        """Note an outcome; return it in a line."""
        entry = self.entries[request_id]
        entry.outcome = outcome
        if isinstance(outcome, StoryGenerated):
            self.newest = outcome
            line = f"{entry.user}: “{outcome.story.title}” ({outcome.story.word_count} words)"
        else:
            line = f"{entry.user}: {entry.about} — {outcome.error.code}: {outcome.error.message}"
        self.log.append(line)
        return line

    @property
    def users(self) -> list[str]:
        """Return the users, the first to ask first."""
        return list(dict.fromkeys(entry.user for entry in self.entries.values()))

    def marks(self, user: str) -> list[tuple[Mark, str]]:
        """Return how far each request of a user is: one lane, in order."""
        marks: list[tuple[Mark, str]] = []
        working = False
        for entry in self.entries.values():
            if entry.user == user:
                mark = _mark(entry, first_open=not working)
                working = working or entry.outcome is None
                marks.append((mark, entry.about))
        return marks

    @property
    def stories(self) -> int:
        """Return how many stories have arrived."""
        return sum(isinstance(entry.outcome, StoryGenerated) for entry in self.entries.values())

    @property
    def failures(self) -> int:
        """Return how many requests have failed."""
        return sum(entry.outcome is not None for entry in self.entries.values()) - self.stories

    @property
    def open(self) -> int:
        """Return how many requests have no outcome yet."""
        return sum(entry.outcome is None for entry in self.entries.values())

    @property
    def cost(self) -> Cost | None:
        """Return what all of it cost; None when some price is unknown."""
        total = 0
        for entry in self.entries.values():
            if entry.outcome is not None:
                if entry.outcome.cost is None:
                    return None
                total += entry.outcome.cost.to_pico_usd()
        return Cost.from_pico_usd(total)


def _mark(entry: Entry, *, first_open: bool) -> Mark:
    if entry.outcome is None:
        return Mark.WRITING if first_open else Mark.WAITING
    return Mark.DONE if isinstance(entry.outcome, StoryGenerated) else Mark.FAILED
