"""The texts of one prompt version, as a writer left them in its folder.

The folder's README.md tells the writer what each file is for.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from string import Formatter
from typing import Final

from jiraiya_events.domain.errors import ServiceError
from jiraiya_events.domain.request import Audience, Length
from jiraiya_events.generation.prompt import AnswerForm

CURRENT: Final = "story.v2"
"""The version that stories are written with."""

OTHER: Final = "other"
"""The advice for every language that has no file of its own."""

_SLOTS: Final = ("audience", "canary", "form", "language", "length")


@dataclass(frozen=True, slots=True)
class PromptFiles:
    """`system` has a slot for the canary and for one text of each of the other four kinds.

    These are keyed by the values of their enumerations, `language` by lower-case BCP 47 tags.
    """

    version: str
    system: str
    audience: Mapping[str, str]
    length: Mapping[str, str]
    language: Mapping[str, str]
    form: Mapping[str, str]


def packaged() -> Traversable:
    """Return the folder of the current version."""
    return files(__package__) / "prompts" / CURRENT


def read_prompt_files(folder: Traversable) -> PromptFiles:
    """Read every text of the version that `folder` is named after.

    Raises:
        ServiceError: a file is missing, or `system.txt` has not exactly the slots it needs.
    """
    return PromptFiles(
        version=folder.name,
        system=_checked_system(folder),
        audience=_texts(folder, "audience", Audience),
        length=_texts(folder, "length", Length),
        language=_texts(folder, "language", (OTHER,)),
        form=_texts(folder, "form", AnswerForm),
    )


def _checked_system(folder: Traversable) -> str:
    text = _text(folder, "system.txt")
    try:
        slots = sorted(slot for _, slot, _, _ in Formatter().parse(text) if slot is not None)
    except ValueError as error:
        msg = f"{folder.name}/system.txt: {error}; a brace that is no slot is written twice"
        raise ServiceError(msg) from None
    if slots != list(_SLOTS):
        needed = ", ".join(f"{{{slot}}}" for slot in _SLOTS)
        msg = f"{folder.name}/system.txt must have each of these once and no others: {needed}"
        raise ServiceError(msg)
    return text


def _texts(folder: Traversable, kind: str, needed: Iterable[str]) -> dict[str, str]:
    names = set(needed) | {
        path.name.removesuffix(".txt")
        for path in (folder / kind).iterdir()
        if path.name.endswith(".txt")
    }
    return {name.lower(): _text(folder, f"{kind}/{name}.txt") for name in sorted(names)}


def _text(folder: Traversable, name: str) -> str:
    try:
        text = folder.joinpath(*name.split("/")).read_text(encoding="utf-8").strip()
    except OSError as error:
        msg = f"{folder.name}/{name} cannot be read ({error.strerror}); every version needs it"
        raise ServiceError(msg) from None
    if not text:
        msg = f"{folder.name}/{name} is empty; every text must say something"
        raise ServiceError(msg)
    return text
