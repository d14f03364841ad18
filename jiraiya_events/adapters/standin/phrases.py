"""The box of phrases, read once from `phrases.toml`."""

import tomllib
from dataclasses import dataclass, fields
from functools import cache
from importlib import resources
from typing import Final

PRONOUNS: Final = {
    "she": ("she", "her", "her"),
    "he": ("he", "him", "his"),
    "they": ("they", "them", "their"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrases:
    """What `phrases.toml` holds; its first lines explain the slots."""

    note: str
    note_other_language: str
    shelf: str
    mood: str
    titles: tuple[str, ...]
    pair_titles: tuple[str, ...]
    heroes: tuple[tuple[str, str], ...]
    friends: tuple[str, ...]
    places: tuple[str, ...]
    openings: tuple[str, ...]
    meetings: tuple[str, ...]
    lists: tuple[str, ...]
    troubles: tuple[str, ...]
    interludes: tuple[str, ...]
    turns: tuple[str, ...]
    endings: tuple[str, ...]
    uncounted: frozenset[str]
    counted: frozenset[str]
    plurals: frozenset[str]
    common: frozenset[str]


@cache
def phrases() -> Phrases:
    """Return the box of phrases."""
    text = resources.files(__package__).joinpath("phrases.toml").read_text(encoding="utf-8")
    raw = tomllib.loads(text)
    raw["heroes"] = tuple(raw["heroes"].items())
    for field in fields(Phrases):
        if isinstance(raw[field.name], list):
            raw[field.name] = tuple(raw[field.name])
        elif field.name in {"uncounted", "counted", "plurals", "common"}:
            raw[field.name] = frozenset(raw[field.name].split())
    return Phrases(**raw)
