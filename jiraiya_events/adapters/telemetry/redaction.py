"""What must never be read in a log: credentials, prompts, stories and whole objects."""

import re
from collections.abc import Iterable, Mapping, MutableMapping
from datetime import date
from pathlib import PurePath
from typing import Any, Final

MASK: Final = "[redacted]"
LEFT_OUT: Final = "[left out]"
DEEPEST: Final = 6

_SECRET_NAME: Final = re.compile(
    r"key|token|secret|passw|authoriz|credential|cookie|dsn|signature", re.IGNORECASE
)
_SECRET_TEXT: Final = re.compile(
    r"\b(?:sk|pk|rk|xai)-[A-Za-z0-9_-]{8,}|\bgsk_[A-Za-z0-9]{8,}|\bAIza[A-Za-z0-9_-]{8,}"
    r"|\b(?:Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{6,}"
    r"|\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*)?"
    r"|(?<=://)[^\s/@]+(?=@)"
    r"|(?<=password=)[^\s&,;)]+|(?<=api_key=)[^\s&,;)]+|(?<=apikey=)[^\s&,;)]+"
    r"|(?<=token=)[^\s&,;)]+|(?<=secret=)[^\s&,;)]+",
    re.IGNORECASE,
)
_CONTENT_NAMES: Final = frozenset(
    {"prompt", "content", "story", "keywords", "instructions", "messages", "characters", "value"}
)


# A shorter one is part of too many words, and what is written where none is needed.
_SHORTEST_SECRET: Final = 6
_known: list[re.Pattern[str]] = []


def know_secrets(secrets: Iterable[str]) -> None:
    """Mask these wherever they stand, from now on; those of an earlier call are forgotten."""
    long = sorted({each for each in secrets if len(each) >= _SHORTEST_SECRET}, key=len)
    _known[:] = [re.compile("|".join(map(re.escape, reversed(long))))] if long else []


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Return the event of a log line without secrets; a structlog processor."""
    # Names with an underscore in front are the formatter's own and leave before rendering.
    return {
        name: value if name.startswith("_") else _clean(name, value, 0)
        for name, value in event.items()
    }


def redact_text(text: str) -> str:
    """Return `text` with whatever looks like a credential masked."""
    for known in _known:
        text = known.sub(MASK, text)
    return _SECRET_TEXT.sub(MASK, text)


def _clean(name: str, value: object, depth: int) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    if name in _CONTENT_NAMES:
        return LEFT_OUT
    if _SECRET_NAME.search(name):
        return MASK
    return _clean_value(value, depth)


def _clean_value(value: object, depth: int) -> object:
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, Mapping) and depth < DEEPEST:
        return {str(name): _clean(str(name), inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset) and depth < DEEPEST:
        return [_clean("", inner, depth + 1) for inner in value]
    if isinstance(value, PurePath | date):
        return str(value)
    # The repr of an unknown object may hold anything: its kind is all that is said.
    return f"<{type(value).__name__}>"
