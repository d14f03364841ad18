"""Text from outside, made safe to place into a prompt or an event without damaging it."""

import unicodedata
from typing import Final

import regex

# Scripts whose spelling needs the joiners (UAX #31, section 2.3), and emoji sequences.
_JOINED = (
    r"[\p{Arabic}\p{Syriac}\p{Devanagari}\p{Bengali}\p{Gurmukhi}\p{Gujarati}\p{Oriya}\p{Tamil}"
    r"\p{Telugu}\p{Kannada}\p{Malayalam}\p{Sinhala}\p{Mongolian}\p{Khmer}\p{Myanmar}"
    r"\p{Extended_Pictographic}\p{Emoji_Modifier}\uFE0F]"
)
_JOINERS = r"\u200C\u200D"
_INVISIBLE: Final = regex.compile(
    rf"(?<!{_JOINED})[{_JOINERS}]|[\p{{Cf}}--[{_JOINERS}]]|[\p{{Cc}}--[\t\n\r\x0B\f\x85]]",
    regex.V1,
)
_SPACES: Final = regex.compile(r"[\s\x85]+")
_STORY_NOISE: Final = regex.compile(r"[\p{Cc}--[\t\n]]", regex.V1)


def clean_field(text: str) -> str:
    """Return one field of a request on one line: NFKC, no invisible characters."""
    if text.isascii() and text.isprintable():
        return text
    visible: str = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    one_line: str = _SPACES.sub(" ", visible)
    return one_line.strip()


def clean_story(text: str) -> str:
    """Return a model's text that UTF-8 can carry, with line feeds and no control characters."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode("utf-8")
    quiet: str = _STORY_NOISE.sub("", text)
    return quiet.strip()
