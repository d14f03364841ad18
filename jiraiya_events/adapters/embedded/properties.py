r"""Java's ``.properties`` text form, written so that any encoding reads it alike.

Source: ``java.util.Properties.load``. The form is ISO-8859-1; what is not printable ASCII
is written as ``\uXXXX``, one escape per UTF-16 code unit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAMED = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\f": "\\f"}
_ENDS_A_KEY = frozenset(" =:#!")


def render_properties(properties: Mapping[str, str]) -> bytes:
    """Render ``properties`` as the bytes of a ``.properties`` file."""
    lines = [f"{escape_key(key)}={escape_value(value)}\n" for key, value in properties.items()]
    return "".join(lines).encode("ascii")


def escape_key(key: str) -> str:
    """Escape a key; separators inside it would end it early."""
    return "".join(f"\\{char}" if char in _ENDS_A_KEY else _escape(char) for char in key)


def escape_value(value: str) -> str:
    """Escape a value; only leading spaces need care, the reader skips them."""
    stripped = value.lstrip(" ")
    leading = "\\ " * (len(value) - len(stripped))
    return leading + "".join(_escape(char) for char in stripped)


def _escape(char: str) -> str:
    if char in _NAMED:
        return _NAMED[char]
    if char.isascii() and char.isprintable():
        return char
    # A surrogate that came from undecodable bytes of a path has to survive as well.
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
