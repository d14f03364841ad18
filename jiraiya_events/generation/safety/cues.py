"""Which patterns are worth looking for in a text: those with a cue in it.

Hundreds of patterns would take milliseconds for each request. All their cues are found in one pass
over the text, by the automaton of Aho and Corasick (Communications of the ACM 18 (6), 1975).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ahocorasick_rs import AhoCorasick


# Compared by identity: to hash what a regular expression is compiled to takes microseconds.
@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """One pattern; `joined` finds it in text without anything between the letters."""

    id: str
    weight: int
    regex: re.Pattern[str]
    joined: re.Pattern[str] | None


class CueIndex:
    """Patterns by the plain texts of which each of their matches holds one."""

    def __init__(self, cues: Iterable[tuple[str, Pattern]]) -> None:
        by_cue: dict[str, list[Pattern]] = {}
        for cue, pattern in cues:
            by_cue.setdefault(cue, []).append(pattern)
        self._patterns = tuple(by_cue.values())
        self._automaton = AhoCorasick(by_cue)

    def cued_by(self, text: str) -> list[Pattern]:
        """Return each pattern that has a cue in folded `text`, once."""
        found: dict[Pattern, None] = {}
        for place, _, _ in self._automaton.find_matches_as_indexes(text, overlapping=True):
            found.update(dict.fromkeys(self._patterns[place]))
        return list(found)
