"""The string that is the `content` of a JSON object which is still being written.

Each piece is looked at once. Held are half an escape, half a surrogate pair, and the key that is
being read.
"""

import json
import re
from typing import Final

# As much of a string as can be passed over: no half of an escape. It ends before the closing quote.
_IN_STRING: Final = re.compile(r"(?:[^\"\\]+|\\.)*", re.DOTALL)
_OTHER: Final = re.compile(r'[^"{}\[\]:,]*[{}\[\]:,]?')
# As much of a JSON string as can be decoded whatever follows: no half of an escape, and no high
# surrogate whose low one may still come. It ends before the closing quote.
_DECODABLE: Final = re.compile(
    r"""(?: [^"\\]+
          | \\[^u]
          | \\u(?![dD][89abAB])[0-9a-fA-F]{4}
          | \\u[dD][89abAB][0-9a-fA-F]{2}
            (?: \\u[dD][c-fC-F][0-9a-fA-F]{2} | (?= [^\\] | \\[^u] | \\u(?:[^dD]|[dD][^c-fC-F]) ) )
        )*""",
    re.VERBOSE,
)
_PAIR: Final = len(r"\ud83e\udd8a")


class JsonContent:
    """Takes the pieces of the object, from its first character on."""

    def __init__(self) -> None:
        self._held = ""
        self._depth = 0
        self._key: str | None = None
        self._at_value = False
        self._string: list[str] | None = None
        self._inside = False
        self._over = False

    def feed(self, piece: str) -> str:
        """Return what this piece adds to the content."""
        if self._over:
            return ""
        text, self._held = self._held + piece, ""
        at = 0
        while at < len(text) and not self._inside:
            at = self._past_token(text, at)
        return self._decoded(text[at:]) if self._inside else ""

    def _past_token(self, text: str, at: int) -> int:
        """Read one token or what there is of it; return where the next one begins."""
        if self._string is not None:
            return self._past_string(text, at)
        if text[at] == '"':
            self._inside = self._depth == 1 and self._at_value and self._key == "content"
            self._string = []
            return at + 1
        token = _OTHER.match(text, at)
        at = token.end() if token else len(text)
        self._note(text[at - 1])
        return at

    def _past_string(self, text: str, at: int) -> int:
        string = _IN_STRING.match(text, at)
        end = string.end() if string else at
        is_key = self._depth == 1 and not self._at_value
        if is_key and self._string is not None:
            self._string.append(text[at:end])
        if end == len(text) or text[end] != '"':
            self._held = text[end:]
            return len(text)
        if is_key:
            self._key = _unescaped("".join(self._string or ()))
        self._string = None
        return end + 1

    def _note(self, mark: str) -> None:
        if mark in "{[":
            self._depth += 1
        elif mark in "}]":
            self._depth -= 1
        self._at_value = mark == ":" or (self._at_value and mark not in ",{")

    def _decoded(self, inside: str) -> str:
        """Return what of the string can be decoded for good; hold the rest."""
        ready = _DECODABLE.match(inside)
        end = ready.end() if ready else 0
        text = _unescaped(inside[:end])
        self._held = inside[end:]
        broken = text is None or len(self._held) >= _PAIR
        self._over = broken or self._held.startswith('"')
        return text or ""


def _unescaped(inside: str) -> str | None:
    """Return the text of a JSON string without its quotes; None when it is no such text."""
    if "\\" not in inside:
        return inside
    try:
        text: str = json.loads(f'"{inside}"', strict=False)
    except ValueError:
        return None
    return text
