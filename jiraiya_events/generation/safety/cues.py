"""Which patterns are worth looking for in a text: those with a cue in it.

Hundreds of patterns would take milliseconds for each request. Looking for plain text is quick,
and for that of scripts a text does not use it is not done at all.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_SCRIPTS: Final = tuple(
    re.compile(letters)
    for letters in (
        "[a-z]",
        "[\u0400-\u04ff]",
        "[\u0600-\u06ff]",
        "[\u0900-\u097f]",
        "[\u3040-\u30ff\u4e00-\u9fff]",
        "[\uac00-\ud7af]",
    )
)
_ANY_SCRIPT: Final = re.compile("")


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern; `joined` finds it in text without anything between the letters."""

    id: str
    weight: int
    regex: re.Pattern[str]
    joined: re.Pattern[str] | None


class CueIndex:
    """Patterns by the script and the text of their cues."""

    def __init__(self, cues: Iterable[tuple[str, Pattern]]) -> None:
        self._by_script: dict[re.Pattern[str], dict[str, list[Pattern]]] = {}
        for cue, pattern in cues:
            by_cue = self._by_script.setdefault(_script_of(cue), {})
            by_cue.setdefault(cue, []).append(pattern)

    def knows_the_script_of(self, text: str) -> bool:
        """Tell whether any cue is written in a script of folded `text`."""
        return any(script.search(text) for script in self._by_script)

    def cued_by(self, text: str) -> list[Pattern]:
        """Return each pattern that has a cue in folded `text`, once."""
        found: dict[Pattern, None] = {}
        for script, by_cue in self._by_script.items():
            if script.search(text):
                for cue, patterns in by_cue.items():
                    if cue in text:
                        found.update(dict.fromkeys(patterns))
        return list(found)


def _script_of(cue: str) -> re.Pattern[str]:
    return next((script for script in _SCRIPTS if script.search(cue)), _ANY_SCRIPT)
