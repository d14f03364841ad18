"""The fields of a request that reach the model as text, and how long each may be."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from jiraiya_events.domain.request import StoryRequested
from jiraiya_events.generation.sanitize import visible

Texts = dict[str, list[str]]
"""The texts by field; a field that holds one text has a list of one."""

LONGEST: Final = MappingProxyType(
    {
        "keywords": 64,
        "genre": 64,
        "tone": 64,
        "title": 120,
        "characters": 64,
        "instructions": 500,
    }
)
"""Characters of one text of a field, as in the schema: normalising can make a text longer."""


def visible_texts(request: StoryRequested) -> Texts:
    """Return what the model could see of each field that has text."""
    texts: Texts = {}
    for name, longest in LONGEST.items():
        value = getattr(request, name)
        if value:
            written = [value] if isinstance(value, str) else value
            texts[name] = [visible(text)[:longest] for text in written]
    return texts


def with_texts(request: StoryRequested, texts: Mapping[str, list[str]]) -> StoryRequested:
    """Return `request` with these texts, empty ones left out; the same one if none differs.

    Nothing is validated again: `keywords` can be empty.
    """
    changed: dict[str, Any] = {}
    for name, new in texts.items():
        value = getattr(request, name)
        kept = [text for text in new if text]
        if isinstance(value, str):
            if kept != [value]:
                changed[name] = kept[0] if kept else None
        elif kept != value:
            changed[name] = kept
    return request.model_copy(update=changed) if changed else request
