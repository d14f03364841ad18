"""Text that was hidden in an encoding, brought back for the check."""

import base64
import binascii
import codecs
import html
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final
from urllib.parse import unquote

_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{16,4000}={0,2}")
_BASE32: Final = re.compile(r"[A-Z2-7]{16,4000}={0,6}")
_HEX: Final = re.compile(r"(?:(?:0x)?[0-9A-Fa-f]{2}[ ,:]{0,2}){8,4000}")
_DIGIT: Final = re.compile("[0-9]")
_BINARY: Final = re.compile(r"(?:[01]{8}[ ,]{0,2}){6,4000}")
_ESCAPED: Final = re.compile(r"\\u\{?([0-9A-Fa-f]{4,6})\}?|\\x([0-9A-Fa-f]{2})")
_PERCENT: Final = re.compile(r"%[0-9A-Fa-f]{2}")
_FEW: Final = 3
# Telling words, written backwards and in ROT13: the first sign that a text is.
_TELLING: Final = ("ignore", "instruct", "prompt", "reveal", "system", "regard", "previous")
_BACKWARDS: Final = tuple(word[::-1] for word in _TELLING)
_ROT13: Final = tuple(codecs.encode(word, "rot13") for word in _TELLING)
_LETTER: Final = re.compile(r"[\w\s.,;:!?'\"<>\[\]{}|/-]")
_MOSTLY: Final = 0.8


def decoded(text: str) -> Iterator[str]:
    """Yield what `text`, in its own case, says when read as one of the usual encodings."""
    blobs = _BASE64.findall(text)
    if blobs:
        yield from _readable(map(_from_base64, blobs))
        yield from _readable(_from_base32(blob) for blob in blobs if _BASE32.fullmatch(blob))
    # Letters have codes that start with 4 to 7: no hexadecimal text is without a digit.
    if _DIGIT.search(text):
        yield from _readable(map(_from_hex, _HEX.findall(text)))
        yield from _readable(map(_from_binary, _BINARY.findall(text)))
    yield from _unescaped(text)
    yield from _shuffled(text)


def _unescaped(text: str) -> Iterator[str]:
    if "%" in text and len(_PERCENT.findall(text)) >= _FEW:
        yield unquote(text, errors="replace")
    if "&" in text and ";" in text and (plain := html.unescape(text)) != text:
        yield plain
    if "\\" in text and len(_ESCAPED.findall(text)) >= _FEW:
        yield _ESCAPED.sub(_letter, text)


def _shuffled(text: str) -> Iterator[str]:
    low = text.lower()
    if any(word in low for word in _BACKWARDS):
        yield low[::-1]
        yield " ".join(word[::-1] for word in low.split())
    if any(word in low for word in _ROT13):
        yield codecs.encode(low, "rot13")


def _letter(escape: re.Match[str]) -> str:
    number = int(escape[1] or escape[2], 16)
    return chr(number) if number < 0x110000 else ""  # noqa: PLR2004 - the end of Unicode


def _readable(blobs: Iterable[bytes]) -> Iterator[str]:
    """Yield, as one text, the blobs that are text: most of what looks encoded is not."""
    texts = [blob.decode("utf-8", "ignore") for blob in blobs]
    readable = [text for text in texts if len(_LETTER.findall(text)) >= _MOSTLY * len(text)]
    if together := " ".join(readable).strip():
        yield together


def _from_base64(blob: str) -> bytes:
    whole = blob.rstrip("=").replace("-", "+").replace("_", "/")
    return _or_nothing(base64.b64decode, whole[: len(whole) - (len(whole) % 4 == 1)] + "==")


def _from_base32(blob: str) -> bytes:
    whole = blob.rstrip("=")
    return _or_nothing(base64.b32decode, whole + "=" * (-len(whole) % 8))


def _from_hex(blob: str) -> bytes:
    return _or_nothing(bytes.fromhex, re.sub(r"0x|[ ,:]", "", blob))


def _from_binary(blob: str) -> bytes:
    return bytes(int(byte, 2) for byte in re.findall("[01]{8}", blob))


def _or_nothing(decode: Callable[[str], bytes], blob: str) -> bytes:
    try:
        return decode(blob)
    except (binascii.Error, ValueError):
        return b""
