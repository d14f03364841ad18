"""Whether a story, or the beginning of one, is fit for its audience; see `age_bands.toml`."""

import re
import tomllib
from functools import cache
from importlib import resources
from typing import Any, Final

from jiraiya_events.domain.request import Audience
from jiraiya_events.generation.safety.cues import Pattern
from jiraiya_events.generation.safety.patterns import Patterns, patterns_of

_UNFIT_AT: Final = 10
_WORD: Final = re.compile(r"\w+")
# Enough to know by which rules a word could be meant, and no longer than the shortest cue.
_START: Final = 3
# From here on in Unicode, scripts are written without spaces: no word can be half there.
_UNSPACED: Final = "\u2e80"


class AgeBand:
    """The rules of one audience."""

    def __init__(self, rules: list[dict[str, Any]]) -> None:
        self._words: dict[str, int] = {}
        for rule in rules:
            for word in rule.get("words", "").split():
                self._words[word] = max(rule["weight"], self._words.get(word, 0))
        entries = [rule for rule in rules if "regex" in rule]
        self.phrases = patterns_of({"pattern": entries}, letters=str.lower)
        self._by_start: dict[str, list[tuple[str, Pattern]]] = {}
        unspaced: list[Pattern] = []
        for pattern, entry in zip(self.phrases.all, entries, strict=True):
            if entry["language"] == "any":
                unspaced.append(pattern)
            for cue in pattern.cues:
                self._by_start.setdefault(cue[:_START], []).append((cue, pattern))
        self._unspaced = Patterns(tuple(unspaced))

    def fits(self, text: str) -> bool:
        """Tell whether nothing, and no sum of things, in this whole text is unfit."""
        low = text.lower()
        words = set(_WORD.findall(low))
        total = sum(self._words[word] for word in self._words.keys() & words)
        for pattern in self._phrases_in(low, words):
            total += pattern.weight
        return total < _UNFIT_AT

    def _phrases_in(self, low: str, words: set[str]) -> set[Pattern]:
        """Return the phrases found; looking for all cues in a story would take far longer."""
        starts = self._by_start.keys() & {word[:_START] for word in words}
        cued = {pattern for start in starts for cue, pattern in self._by_start[start] if cue in low}
        found = {pattern for pattern in cued if pattern.regex.search(low)}
        return found.union(self._unspaced.found_in(low))


def fit_so_far(text: str, audience: Audience) -> bool:
    """Tell whether the beginning of a story is fit; its last word may not be whole yet."""
    if audience is Audience.ADULTS:
        return True
    end = len(text)
    while end and text[end - 1].isalnum() and text[end - 1] < _UNSPACED:
        end -= 1
    return age_bands()[audience].fits(text[:end])


def is_fit(text: str, audience: Audience) -> bool:
    """Tell whether a whole text is fit; for adults no rule of ours forbids anything."""
    return audience is Audience.ADULTS or age_bands()[audience].fits(text)


@cache
def age_bands() -> dict[Audience, AgeBand]:
    """Return the packaged rules. Raises ValueError when one is badly written."""
    text = resources.files(__package__).joinpath("age_bands.toml").read_text(encoding="utf-8")
    rules: list[dict[str, Any]] = tomllib.loads(text)["rule"]
    return {
        audience: AgeBand([rule for rule in rules if audience.value in rule["bands"]])
        for audience in (Audience.CHILDREN, Audience.TEENS)
    }
