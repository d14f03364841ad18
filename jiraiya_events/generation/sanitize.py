"""Text from outside, made safe to place into a prompt or an event without damaging it."""

import unicodedata
from typing import Final

import regex

# Scripts whose spelling needs the joiners (UAX #31, section 2.3), and emoji sequences.
_JOINED: Final = (
    r"[\p{Arabic}\p{Syriac}\p{Devanagari}\p{Bengali}\p{Gurmukhi}\p{Gujarati}\p{Oriya}\p{Tamil}"
    r"\p{Telugu}\p{Kannada}\p{Malayalam}\p{Sinhala}\p{Mongolian}\p{Khmer}\p{Myanmar}"
    r"\p{Extended_Pictographic}\p{Emoji_Modifier}\uFE0F]"
)
_JOINERS: Final = r"\u200C\u200D"
_EMOJI_STYLE: Final = r"\uFE0E\uFE0F"
_MONGOLIAN_STYLE: Final = r"\u180B-\u180D\u180F"
# The flags of England, Scotland and Wales, the only sequences in which tags mean anything
# (UTS #51, 1.4.9); everywhere else tags are a way to write what nobody sees.
_FLAG: Final = (
    r"\U0001F3F4\U000E0067\U000E0062(?:\U000E0065\U000E006E\U000E0067"
    r"|\U000E0073\U000E0063\U000E0074|\U000E0077\U000E006C\U000E0073)\U000E007F"
)
_INVISIBLE: Final = regex.compile(
    rf"{_FLAG}(*SKIP)(*FAIL)"
    rf"|(?<!{_JOINED})[{_JOINERS}]"
    rf"|(?<!\p{{Emoji}})[{_EMOJI_STYLE}]|(?<=[0-9#*])[{_EMOJI_STYLE}](?!\u20E3)"
    rf"|(?<!\p{{Mongolian}})[{_MONGOLIAN_STYLE}]"
    # Format characters that are seen (Arabic number signs and their like) stay.
    rf"|[[\p{{Cf}}\p{{Default_Ignorable_Code_Point}}]--\p{{Prepended_Concatenation_Mark}}"
    rf"--[{_JOINERS}{_EMOJI_STYLE}{_MONGOLIAN_STYLE}]]"
    r"|[\p{Cc}--[\t\n\r\x0B\f\x85]]",
    regex.V1,
)
# What `_INVISIBLE` could find: without its look-arounds the search is ten times as fast.
_DOUBTFUL: Final = regex.compile(
    r"[\p{Cf}\p{Cc}\p{Default_Ignorable_Code_Point}--[\t\n\r\x0B\f\x85]]", regex.V1
)
_SPACES: Final = regex.compile(r"[\s\x85]+")
# NFKC takes the vowels Thai and Lao SARA AM apart; fonts and readers expect them whole.
_SARA_AM: Final = (("\u0e4d\u0e32", "\u0e33"), ("\u0ecd\u0eb2", "\u0eb3"))
_STORY_NOISE: Final = regex.compile(r"[\p{Cc}--[\t\n]]", regex.V1)


def visible(text: str) -> str:
    """Return `text` in NFKC and without what cannot be seen; line breaks stay.

    Thai and Lao SARA AM stay one letter.
    """
    if text.isascii() and text.isprintable():
        return text
    seen = _seen(unicodedata.normalize("NFKC", text))
    # What was between two characters may have kept them from composing.
    return seen if seen.isascii() else _whole(unicodedata.normalize("NFKC", seen))


def _seen(text: str) -> str:
    return text if _DOUBTFUL.search(text) is None else str(_INVISIBLE.sub("", text))


def _whole(text: str) -> str:
    for parts, letter in _SARA_AM:
        if parts in text:
            text = text.replace(parts, letter)
    return text


def one_line(text: str) -> str:
    """Return `text` with every run of white space as one space."""
    if text.isprintable() and "  " not in text:
        return text.strip()
    line: str = _SPACES.sub(" ", text)
    return line.strip()


def clean_field(text: str) -> str:
    """Return one field of a request on one line: NFKC, no invisible characters."""
    return one_line(visible(text))


def clean_story(text: str) -> str:
    """Return a model's text that UTF-8 can carry, with line feeds and nothing else unseen.

    Its letters stay as they are written: unlike a wish it is not normalised.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.isascii():
        text = _seen(text.encode("utf-8", "replace").decode("utf-8"))
    quiet: str = _STORY_NOISE.sub("", text)
    return quiet.strip()
