"""Whether a story is fit for its audience; see `age_bands.toml`."""

import re
import tomllib
from functools import cache
from importlib import resources
from typing import Any, Final, NamedTuple

from jiraiya_events.domain.request import Audience
from jiraiya_events.generation.safety.patterns import patterns_of
from jiraiya_events.generation.safety.reading import as_read

_UNFIT_AT: Final = 10
# Two sentences tell of two things: a gap never crosses the end of one.
_GAP: Final = r"[^\w.!?;]{1,6}"
_WORD: Final = re.compile(r"\w+")


class Found(NamedTuple):
    """A word of a rule, or its phrase, in a text; it counts once however often it stands there."""

    rule: str
    what: str
    weight: int


class AgeBand:
    """The rules of one audience."""

    def __init__(self, rules: list[dict[str, Any]]) -> None:
        self._words: dict[str, Found] = {}
        for rule in rules:
            for word in rule.get("words", "").split():
                found = Found(rule["id"], word, rule["weight"])
                self._words[word] = max(found, self._words.get(word, found), key=_weight)
        phrases = [rule for rule in rules if "regex" in rule]
        self.phrases = patterns_of({"pattern": phrases}, letters=str.lower, gap=_GAP)

    def found_in(self, low: str) -> set[Found]:
        """Return what the rules find in a text that is in lower case."""
        words = {self._words[word] for word in self._words.keys() & _WORD.findall(low)}
        phrases = self.phrases.found_in(low)
        return words | {Found(phrase.id, phrase.id, phrase.weight) for phrase in phrases}


def found_in(text: str, audience: Audience) -> set[Found]:
    """Return what stands against this text; for adults no rule of ours forbids anything."""
    return set() if audience is Audience.ADULTS else age_bands()[audience].found_in(as_read(text))


def broken_by(found: set[Found]) -> tuple[str, ...]:
    """Return the ids of the rules that make a text unfit, alone or added up; else none."""
    if sum(map(_weight, found)) < _UNFIT_AT:
        return ()
    return tuple(sorted({each.rule for each in found}))


def _weight(found: Found) -> int:
    return found.weight


@cache
def age_bands() -> dict[Audience, AgeBand]:
    """Return the packaged rules. Raises ValueError when one is badly written."""
    text = resources.files(__package__).joinpath("age_bands.toml").read_text(encoding="utf-8")
    rules: list[dict[str, Any]] = tomllib.loads(text)["rule"]
    return {
        audience: AgeBand([rule for rule in rules if audience.value in rule["bands"]])
        for audience in (Audience.CHILDREN, Audience.TEENS)
    }
