"""Letters made alike for the check only; what the model gets keeps its letters.

`fold` changes no length, so a place in the folded text is the same place in the original.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Final

_LATIN: Final = (range(0x00C0, 0x0250), range(0x1E00, 0x1F00))
# Strokes through letters, vowel signs of Arabic and Hebrew, stretched Arabic letters.
_MARKS: Final = re.compile(
    "[\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0640\u064b-\u065f\u0670\u20d0-\u20ff\ufe0f]"
)
_LEET: Final = str.maketrans("013457@$!|€+8", "oieastasilet" + "b")
_LEET_SPELLING: Final = re.compile(r"[a-z][013457@$!|€][a-z]")
_SIGNS: Final = str.maketrans(
    "", "", "".join(sign for sign in map(chr, range(128)) if not sign.isalnum())
)
_SIGN: Final = re.compile(r"[\W_]")


def fold(text: str) -> str:
    """Return `text` in lower case, its Latin letters without accents, as long as before."""
    if text.isascii():
        return text.lower()
    # The one letter whose lower case is two characters.
    return _replaced(text.replace("\u0130", "I").lower(), _accents())


def without_marks(text: str) -> str:
    """Return folded `text` without the marks that stand on letters of their own."""
    return text if text.isascii() else _MARKS.sub("", text)


def latinised(text: str) -> str:
    """Return folded `text` with letters that look like Latin ones replaced by those."""
    return text if text.isascii() else _replaced(text, _lookalikes())


def unleeted(text: str) -> str:
    """Return folded `text` with digits and signs read as letters, where some stand in words."""
    return text.translate(_LEET) if _LEET_SPELLING.search(text) else text


def joined(text: str) -> str:
    """Return folded `text` without anything between its letters and digits."""
    return text.translate(_SIGNS) if text.isascii() else _SIGN.sub("", text)


def word_starts(text: str) -> dict[int, int]:
    """Return where in `joined(text)` words of `text` begin, and where they do in `text`."""
    starts: dict[int, int] = {}
    length, inside = 0, False
    for place, letter in enumerate(text):
        kept = not _SIGN.match(letter)
        if kept and not inside:
            starts[length] = place
        length += kept
        inside = kept
    return starts


class _Replacements:
    """Letters and what each becomes; `any` finds the first of them in a text."""

    def __init__(self, table: dict[int, str]) -> None:
        self.table = table
        self.any = re.compile("[" + re.escape("".join(map(chr, table))) + "]")


def _replaced(text: str, replacements: _Replacements) -> str:
    # Translating costs ten times as much as finding out that nothing is to be done.
    return text.translate(replacements.table) if replacements.any.search(text) else text


@cache
def _accents() -> _Replacements:
    table = _listed("alike")
    for number in (number for letters in _LATIN for number in letters):
        base = unicodedata.normalize("NFKD", chr(number))[0]
        if base.isascii() and base.isalpha():
            table[number] = base
    return _Replacements(table)


@cache
def _lookalikes() -> _Replacements:
    return _Replacements({**_listed("letters"), **dict(_enclosed())})


def _listed(name: str) -> dict[int, str]:
    text = resources.files(__package__).joinpath("lookalikes.toml").read_text(encoding="utf-8")
    listed: dict[str, str] = tomllib.loads(text)[name]
    return {ord(alike): letter for letter, alikes in listed.items() for alike in alikes.split()}


def _enclosed() -> Iterator[tuple[int, str]]:
    """Yield the alphabets in circles, squares and flags, which NFKC leaves as they are."""
    for start in (0x1F150, 0x1F170, 0x1F1E6):
        for place in range(26):
            yield start + place, chr(ord("a") + place)
