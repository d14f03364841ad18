"""From who was in flight at which death to who may have caused them; pure.

A record in flight at two crashes may have caused them: it is a suspect. One that was alone at three
did. One that was alone at a fourth was only read, to be ended, and even that was too much.

An end that looks like a `kill -9` from outside weighs a third of a crash: kills hit innocents, and
yet a record that kills its process in a way nobody can see must be found, only later.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from jiraiya_events.adapters.journal.layout import End
from jiraiya_events.engine.journal import Standing

WEIGHTS: Final = {End.CRASHED: 3, End.KILLED: 1}
SUSPECT_AT: Final = 6
CONVICT_AT: Final = 9
UNREADABLE_AT: Final = 12


@dataclass(frozen=True, slots=True)
class Death:
    """One process that ended without being asked to; `note` is what it wrote while crashing."""

    name: str
    end: End
    running: tuple[bytes, ...]
    note: str = ""

    @property
    def weight(self) -> int:
        """How much it says against those who were in flight."""
        return WEIGHTS[self.end]


def standings(deaths: Sequence[Death]) -> dict[bytes, Standing]:
    """Return every position that is not clear."""
    beside: Counter[bytes] = Counter()
    alone: Counter[bytes] = Counter()
    for death in deaths:
        for position in death.running:
            beside[position] += death.weight
        if len(death.running) == 1:
            alone[death.running[0]] += death.weight
    found = {p: Standing.SUSPECT for p, weight in beside.items() if weight >= SUSPECT_AT}
    for position, weight in alone.items():
        if weight >= CONVICT_AT:
            unreadable = weight >= UNREADABLE_AT
            found[position] = Standing.UNREADABLE if unreadable else Standing.CONVICTED
    return found


class Suspicions:
    """How records stand at these deaths; the list belongs to the caller and is kept up here."""

    def __init__(self, deaths: list[Death]) -> None:
        self._deaths = deaths
        self._standings = standings(deaths)

    def __bool__(self) -> bool:
        """Tell whether anybody is not clear."""
        return bool(self._standings)

    def of(self, position: bytes) -> Standing:
        """Return how the record at this position stands."""
        return self._standings.get(position, Standing.CLEAR)

    def lift(self, position: bytes) -> list[Death]:
        """Forget a record that is through; return the deaths that are explained by it, if any.

        A convicted one explains every death it was in flight at, and clears the others there.
        """
        standing = self._standings.pop(position, Standing.CLEAR)
        if standing not in {Standing.CONVICTED, Standing.UNREADABLE}:
            return []
        explained = [death for death in self._deaths if position in death.running]
        self._deaths[:] = [death for death in self._deaths if position not in death.running]
        self._standings = standings(self._deaths)
        return explained
