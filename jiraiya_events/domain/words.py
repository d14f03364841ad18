"""Counting words the way the contract does, in any script.

Words are the segments between Unicode word boundaries (UAX #29) that hold a letter or a digit;
in scripts written without spaces two letters count as one word.
"""

import re
from typing import Final

import regex

# On ASCII text the same segments, found faster: letters joined by ' . : and
# digits joined by ' , . ; belong together. What a word begins with besides does not change their
# number, and looking for it would begin anew at each of a row of underscores.
_ASCII_WORD: Final = re.compile(
    r"[A-Za-z0-9](?:\w|(?<=[A-Za-z])['.:](?=[A-Za-z])|(?<=[0-9])['.,;](?=[0-9]))*", re.ASCII
)
# UAX #29, rules WB4 to WB13b, spelled out: the boundaries of the regex module itself swallow an
# apostrophe before a vowel, and with it every word of dialogue that opens with one.
_X = r"\p{WB=Extend}\p{WB=Format}\p{WB=ZWJ}"
_L = r"\p{WB=ALetter}\p{WB=Hebrew_Letter}"
_N = r"\p{WB=Numeric}"
_MID_LETTER = rf"[\p{{WB=MidLetter}}\p{{WB=MidNumLet}}'][{_X}]*+"
_MID_NUMBER = rf"[\p{{WB=MidNum}}\p{{WB=MidNumLet}}'][{_X}]*+"
_JOINTS = rf"\p{{WB=ExtendNumLet}}[\p{{WB=ExtendNumLet}}{_X}]*+"
_LETTERS = rf"[{_L}][{_L}{_X}]*+(?:{_MID_LETTER}[{_L}][{_L}{_X}]*+)*+"
_DIGITS = rf"{_N}[{_N}{_X}]*+(?:{_MID_NUMBER}{_N}[{_N}{_X}]*+)*+"
_WORD: Final = regex.compile(
    rf"(?:{_LETTERS}|{_DIGITS})(?:{_LETTERS}|{_DIGITS}|{_JOINTS})*+"
    r"|[\p{Alphabetic}\p{N}]",
    regex.V1,
)
_UNSPACED: Final = regex.compile(
    r"[[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\u30FC]"
    r"&&[\p{L}\p{Nl}]]",
    regex.V1,
)
_UNSPACED_RUN: Final = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\u30FC]+", regex.V1
)
# Where those scripts lie, roughly; it only spares all other text the slow search.
_MAYBE_UNSPACED: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u19e0-\u19ff\u2e80-\u9fff\ua9e0-\uaa7f"
    "\uf900-\ufaff\uff00-\uffef\U00010000-\U0003ffff]"
)


def count_words(text: str) -> int:
    """Return the number of words in `text`."""
    if not text.isascii():
        text = _with_plain_marks(text)
    if text.isascii():
        return len(_ASCII_WORD.findall(text))
    unspaced = 0
    if _MAYBE_UNSPACED.search(text):
        unspaced = len(_UNSPACED.findall(text))
        text = _UNSPACED_RUN.sub(" ", text) if unspaced else text
    return (unspaced + 1) // 2 + len(_WORD.findall(text))


def _with_plain_marks(text: str) -> str:
    """Replace typographic marks by ASCII ones of the same effect, for the sake of speed."""
    for apostrophe in "\u2018\u2019":
        text = text.replace(apostrophe, "'")
    for separator in "\u201c\u201d\u2013\u2014\u2026":
        text = text.replace(separator, " ")
    return text
