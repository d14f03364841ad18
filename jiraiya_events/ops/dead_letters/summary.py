"""How many dead letters there are of what; as large as the number of codes, not of letters."""

from collections import Counter
from dataclasses import dataclass, field

from jiraiya_events.contract.letters import DeadLetter
from jiraiya_events.contract.marks import Mark
from jiraiya_events.ops.dead_letters.staying import Stays


@dataclass(slots=True)
class Line:
    """One code; `oldest` and `newest` are seconds since the Unix epoch."""

    code: str
    oldest: float
    newest: float
    letters: int = 0
    handled: int = 0
    stays: Counter[Stays] = field(default_factory=Counter)

    @property
    def replayable(self) -> int:
        """How many of them a replay would publish."""
        return self.letters - self.handled - self.stays.total()


class Summary:
    """Adds up dead letters by code."""

    def __init__(self) -> None:
        self._lines: dict[str, Line] = {}

    def add(self, letter: DeadLetter, mark: Mark | None, stays: Stays | None) -> None:
        """Count one."""
        at = letter.failed_at
        line = self._lines.get(letter.code)
        if line is None:
            line = self._lines[letter.code] = Line(letter.code, at, at)
        line.letters += 1
        line.oldest = min(line.oldest, at)
        line.newest = max(line.newest, at)
        if mark is not None:
            line.handled += 1
        elif stays is not None:
            line.stays[stays] += 1

    @property
    def lines(self) -> list[Line]:
        """The codes, the most frequent first."""
        return sorted(self._lines.values(), key=lambda line: (-line.letters, line.code))

    @property
    def letters(self) -> int:
        """How many were counted."""
        return sum(line.letters for line in self._lines.values())

    @property
    def handled(self) -> int:
        """How many of them were replayed or discarded before."""
        return sum(line.handled for line in self._lines.values())

    @property
    def replayable(self) -> int:
        """How many of them a replay would publish."""
        return sum(line.replayable for line in self._lines.values())

    @property
    def stays(self) -> Counter[Stays]:
        """Why how many cannot be replayed."""
        total: Counter[Stays] = Counter()
        for line in self._lines.values():
            total.update(line.stays)
        return total
