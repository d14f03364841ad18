"""The prompt of one request: our rules in the system text, the wish as data in one JSON message."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

STORY_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {"title": {"type": "string"}, "content": {"type": "string"}},
    "required": ["title", "content"],
    "additionalProperties": False,
}


class AnswerForm(StrEnum):
    """How the model is asked to answer; text is for endpoints without structured output."""

    JSON = "json"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Prompt:
    """Exactly what is sent; the system text depends on the form an endpoint can answer in.

    `canary` stands in the system text and nowhere else: an answer that has it gives our rules
    away. None of the texts shows in a log or a traceback.
    """

    systems: Mapping[AnswerForm, str] = field(repr=False)
    user: str = field(repr=False)
    version: str
    canary: str = field(repr=False)

    def system_text(self, form: AnswerForm = AnswerForm.JSON) -> str:
        """Return our rules."""
        return self.systems[form]

    @property
    def system_texts(self) -> tuple[str, ...]:
        """Our rules in every form."""
        return tuple(self.systems[form] for form in AnswerForm)

    def messages(self, form: AnswerForm = AnswerForm.JSON) -> list[tuple[str, str]]:
        """Return (role, content) pairs."""
        return [("system", self.systems[form]), ("user", self.user)]
