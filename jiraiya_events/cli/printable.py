"""Text from topics, made safe for a terminal: it steers nothing and forges no line."""

from typing import Final

_BREAKS: Final = frozenset("\u2028\u2029")
_DIRECTIONS: Final = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)


def printable(text: str) -> str:
    """Return `text` on one line, with what would steer a terminal or break the line visible."""
    return "".join(_visible(one) if _steers(one) or one in _BREAKS else one for one in text)


def printable_body(text: str) -> str:
    """Return `text` likewise, but with its line breaks."""
    return "".join(_visible(one) if _steers(one) and one != "\n" else one for one in text)


def _visible(one: str) -> str:
    return f"\\u{ord(one):04x}"


def _steers(one: str) -> bool:
    return one < " " or "\x7f" <= one <= "\x9f" or one in _DIRECTIONS
