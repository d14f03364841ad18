"""What a chat request wishes for: our one JSON user message, or any free text."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from jiraiya_events.adapters.standin.phrases import phrases

WORDS: Final = {"short": 200, "medium": 500, "long": 1000}
MOST_KEYWORDS: Final = 20
FREE_TEXT_KEYWORDS: Final = 5

_WORD: Final = re.compile(r"[^\W\d_]{4,}")


@dataclass(frozen=True, slots=True)
class Wish:
    """The fields of a request that the stand-in understands; `seed` names the same wish again."""

    keywords: tuple[str, ...]
    characters: tuple[str, ...] = ()
    genre: str = ""
    tone: str = ""
    title: str = ""
    language: str = "en"
    words: int = WORDS["short"]
    seed: str = ""

    @property
    def in_english(self) -> bool:
        """Whether the wished language is the one language the stand-in writes."""
        return self.language.lower().split("-")[0] == "en"


def read_wish(messages: list[Any]) -> Wish:
    """Return the wish of the last user message; anything unreadable becomes a free wish."""
    text = _last_user_text(messages)
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        return Wish(keywords=_keywords_of(text), seed=text)
    return _from_fields(fields, seed=text)


def _from_fields(fields: dict[str, Any], *, seed: str) -> Wish:
    return Wish(
        keywords=_texts(fields.get("keywords"))[:MOST_KEYWORDS] or ("story",),
        characters=_texts(fields.get("characters")),
        genre=_text(fields.get("genre")),
        tone=_text(fields.get("tone")),
        title=_text(fields.get("title")),
        language=_text(fields.get("language")) or "en",
        words=_words(fields.get("words", fields.get("length"))),
        seed=seed,
    )


def _last_user_text(messages: list[Any]) -> str:
    for message in reversed(messages):
        if isinstance(message, dict) and message.get("role") == "user":
            return "".join(_parts(message.get("content")))
    return ""


def _parts(content: object) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, list):
        for part in content:
            if isinstance(part, dict) and isinstance(part.get("text"), str):
                yield part["text"]


def _keywords_of(text: str) -> tuple[str, ...]:
    found = dict.fromkeys(
        word for word in _WORD.findall(text[:4000]) if word.lower() not in phrases().common
    )
    return tuple(found)[:FREE_TEXT_KEYWORDS] or ("story",)


def _words(length: object) -> int:
    if isinstance(length, str):
        return WORDS.get(length, WORDS["short"])
    # A prompt may carry the number of words instead of the name of the length.
    if isinstance(length, int) and not isinstance(length, bool):
        return min(max(length, 200), 1000)
    return WORDS["short"]


def _texts(value: object) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    return tuple(text for text in map(_text, items) if text)


def _text(value: object) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""
