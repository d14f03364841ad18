"""Whether a story gives the system text away: by its canary, or by eight words in a row.

What is translated or told in other words is not found; the prompt's own rules are all that
stands against that.
"""

import base64
import codecs
import re
from functools import lru_cache
from typing import Final

import regex
from ahocorasick_rs import AhoCorasick

from jiraiya_events.generation.safety.folding import joined
from jiraiya_events.generation.safety.reading import as_read

_ROW: Final = 8
_ASCII_WORD: Final = re.compile(r"\w+", re.ASCII)
_WORD: Final = regex.compile(r"[\w\p{M}\u200C\u200D]+")


def leaks(text: str, system_texts: tuple[str, ...], canary: str) -> bool:
    """Tell whether `text` holds the canary, in some spelling, or words of a system text."""
    low = as_read(text)
    solid = joined(low)
    if canary and any(spelling in solid for spelling in _spellings(canary)):
        return True
    return bool(_rows_of(system_texts).find_matches_as_indexes(_spaced(_words(low))))


@lru_cache(maxsize=512)
def _rows_of(system_texts: tuple[str, ...]) -> AhoCorasick:
    """Return what finds eight words in a row of any of the texts, in one pass."""
    texts = [_words(as_read(text)) for text in system_texts]
    rows = {
        _spaced(words[at : at + _ROW]) for words in texts for at in range(len(words) - _ROW + 1)
    }
    return AhoCorasick(sorted(rows))


def _spaced(words: list[str]) -> str:
    """Return the words with a space around each, so that none is found within another."""
    return f" {' '.join(words)} "


def _words(low: str) -> list[str]:
    """Return the words; in scripts with vowel signs those are parts of a word, not its end."""
    return _ASCII_WORD.findall(low) if low.isascii() else _WORD.findall(low)


@lru_cache(maxsize=8)
def _spellings(canary: str) -> frozenset[str]:
    low = canary.lower()
    ciphers = {low[::-1], codecs.encode(low, "rot13"), low.encode().hex()}
    # At the three places a text can have within base64, without its unsure ends.
    for before in range(3):
        for written in (low, canary):
            code = base64.b64encode(b"x" * before + written.encode()).decode()
            ciphers.add(code[2 if before else 0 :][2:-4].lower())
    return frozenset(map(joined, (low, *ciphers)))
