"""Whether a story, or the beginning of one, is fit for its audience; see `age_bands.toml`."""

import re
import tomllib
from functools import cache
from importlib import resources
from typing import Any, Final

from jiraiya_events.domain.request import Audience
from jiraiya_events.generation.safety.patterns import patterns_of
from jiraiya_events.generation.safety.reading import as_read

_UNFIT_AT: Final = 10
# Two sentences tell of two things: a gap never crosses the end of one.
_GAP: Final = r"[^\w.!?;]{1,6}"
_WORD: Final = re.compile(r"\w+")
# From here on in Unicode, scripts are written without spaces: no word can be half there.
_UNSPACED: Final = "\u2e80"


class AgeBand:
    """The rules of one audience."""

    def __init__(self, rules: list[dict[str, Any]]) -> None:
        self._words: dict[str, int] = {}
        for rule in rules:
            for word in rule.get("words", "").split():
                self._words[word] = max(rule["weight"], self._words.get(word, 0))
        phrases = [rule for rule in rules if "regex" in rule]
        self.phrases = patterns_of({"pattern": phrases}, letters=str.lower, gap=_GAP)

    def fits(self, low: str) -> bool:
        """Tell whether nothing, and no sum of things, is unfit in what `as_read` returned."""
        found = self._words.keys() & _WORD.findall(low)
        total = sum(self._words[word] for word in found)
        for pattern in self.phrases.found_in(low):
            total += pattern.weight
        return total < _UNFIT_AT


def fit_so_far(text: str, audience: Audience) -> bool:
    """Tell whether the beginning of a story is fit; its last word may not be whole yet."""
    if audience is Audience.ADULTS:
        return True
    low = as_read(text)
    end = len(low)
    while end and low[end - 1].isalnum() and low[end - 1] < _UNSPACED:
        end -= 1
    return age_bands()[audience].fits(low[:end])


def is_fit(text: str, audience: Audience) -> bool:
    """Tell whether a whole text is fit; for adults no rule of ours forbids anything."""
    return audience is Audience.ADULTS or age_bands()[audience].fits(as_read(text))


@cache
def age_bands() -> dict[Audience, AgeBand]:
    """Return the packaged rules. Raises ValueError when one is badly written."""
    text = resources.files(__package__).joinpath("age_bands.toml").read_text(encoding="utf-8")
    rules: list[dict[str, Any]] = tomllib.loads(text)["rule"]
    return {
        audience: AgeBand([rule for rule in rules if audience.value in rule["bands"]])
        for audience in (Audience.CHILDREN, Audience.TEENS)
    }
