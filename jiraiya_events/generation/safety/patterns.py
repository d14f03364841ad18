"""The patterns of `patterns.toml`, read once; its first lines explain how they are written."""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any, Final

from jiraiya_events.generation.safety.cues import CueIndex, Pattern
from jiraiya_events.generation.safety.folding import fold, joined, word_starts
from jiraiya_events.generation.safety.literals import literals_of

Letters = Callable[[str], str]

_GAP: Final = r"[\W_]{1,6}"
# What a word is made of and what a gap is made of must have no sign in common: where both can take
# "_", the ways to divide a row of them multiply, and a search takes minutes.
_LETTER: Final = r"[^\W_]"
_UNBOUNDED: Final = re.compile(r"(?<!\\)(?:\\\\)*(?:[*+]|\{[0-9]*,\})")
_NAME: Final = re.compile(r"\{([a-z_]+)\}")
# What may stand before a verb is dear to look at, and few words are the verb: that comes first.
_ASKED: Final = re.compile(r"\{asked\}(\{[a-z_]+\}|\(\?:[^()]+\))")
_FEW_WORDS: Final = re.compile(r"~([0-9])")
# Scripts whose words have letters around them that belong to other words, or no spaces.
_ANYWHERE: Final = frozenset({"any", "ar", "hi", "zh", "ja", "ko"})


class Patterns:
    """All patterns by their cues: few of them need to be looked for in an ordinary text."""

    def __init__(self, patterns: tuple[Pattern, ...]) -> None:
        self.all = patterns
        self._cues = CueIndex(
            (cue, pattern) for pattern in patterns for cue in literals_of(pattern.regex)
        )
        self._joined_cues = CueIndex(
            (cue, pattern)
            for pattern in patterns
            if pattern.joined is not None
            for cue in literals_of(pattern.joined)
        )

    def found_in(self, text: str) -> Iterator[Pattern]:
        """Yield each pattern that folded `text` holds."""
        for pattern in self._cues.cued_by(text):
            if pattern.regex.search(text):
                yield pattern

    def found_joined_in(self, text: str) -> Iterator[Pattern]:
        """Yield each pattern that begins with a word of folded `text` and goes on without gaps.

        Within a word it says nothing: "computer" holds "put". Nor does it where the words stand
        as the pattern has them: `found_in` has seen what is before them.
        """
        solid = joined(text)
        starts: dict[int, int] | None = None
        for pattern in self._joined_cues.cued_by(solid):
            if pattern.joined is None or not pattern.joined.search(solid):
                continue
            starts = word_starts(text) if starts is None else starts
            if any(
                pattern.joined.match(solid, start) and not pattern.regex.match(text[place:])
                for start, place in starts.items()
            ):
                yield pattern


@cache
def load_patterns() -> Patterns:
    """Return the packaged patterns. Raises ValueError when one is badly written."""
    text = resources.files(__package__).joinpath("patterns.toml").read_text(encoding="utf-8")
    return parse_patterns(text)


def parse_patterns(text: str) -> Patterns:
    """Return the patterns in this TOML. Raises ValueError when one is badly written."""
    return patterns_of(tomllib.loads(text))


def patterns_of(raw: Mapping[str, Any], letters: Letters = fold, gap: str = _GAP) -> Patterns:
    """Return the patterns of this table; `letters` is what is done to the texts as well.

    `gap` is what may stand between two words; it must match no letter or digit.

    Raises ValueError when one is badly written.
    """
    patterns = tuple(_pattern(entry, raw, letters, gap) for entry in raw["pattern"])
    if len({pattern.id for pattern in patterns}) < len(patterns):
        msg = "two patterns have the same id"
        raise ValueError(msg)
    return Patterns(patterns)


def _pattern(
    entry: Mapping[str, Any], raw: Mapping[str, Any], letters: Letters, gap: str
) -> Pattern:
    language = entry["language"]
    try:
        words = raw.get("words", {}).get(language, {})
        regex = _ASKED.sub(r"(?=\1){asked}\1", entry["regex"])
        regex = _NAME.sub(lambda name: f"(?:{words[name[1]]})", regex)
        solid = _squeezed(regex, raw["between"]) if entry.get("joined") else None
        return Pattern(
            id=entry["id"],
            weight=entry["weight"],
            regex=_compiled(_spelled_out(regex, language, gap), letters),
            joined=None if solid is None else _compiled(solid, letters),
        )
    except (KeyError, re.error, ValueError) as error:
        msg = f"pattern {entry.get('id')!r}: {error}"
        raise ValueError(msg) from error


def _spelled_out(regex: str, language: str, gap: str) -> str:
    if language != "any":
        regex = regex.replace(r"\w", _LETTER).replace(" ?", f"(?:{gap})?").replace(" ", gap)
        words = f"(?:{_LETTER}{{1,24}}{gap})"
        regex = _FEW_WORDS.sub(lambda few: f"{words}{{0,{few[1]}}}", regex)
    return regex if language in _ANYWHERE else rf"\b(?:{regex})"


def _squeezed(regex: str, between: str) -> str:
    regex = regex.replace(" ?", "").replace(" ", "").replace(r"\b", "")
    return _FEW_WORDS.sub(lambda few: f"(?:{between}){{0,{few[1]}}}", regex)


def _compiled(regex: str, letters: Letters) -> re.Pattern[str]:
    if _UNBOUNDED.search(regex):
        msg = "write {0,20} instead of * and +"
        raise ValueError(msg)
    # Only its letters are folded: to fold all of it would turn "not a word" into "a word".
    compiled = re.compile("".join(char if char.isascii() else letters(char) for char in regex))
    literals_of(compiled)
    return compiled
