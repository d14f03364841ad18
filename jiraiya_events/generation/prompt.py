"""The prompt of one request: our rules in the system text, the wish as data in one JSON message."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:  # LangChain takes long to import
    from collections.abc import Mapping

    from langchain_core.messages import BaseMessage
    from langchain_core.prompts import ChatPromptTemplate

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
class Rules:
    """Our rules in one form: the template whose one free variable is `request`, and its text."""

    template: ChatPromptTemplate
    text: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """Exactly what is sent; the rules depend on the form an endpoint can answer in.

    `canary` stands in the system text and nowhere else: an answer that has it gives our rules
    away. None of the texts shows in a log or a traceback.
    """

    rules: Mapping[AnswerForm, Rules] = field(repr=False)
    user: str = field(repr=False)
    version: str
    canary: str = field(repr=False)

    def system_text(self, form: AnswerForm = AnswerForm.JSON) -> str:
        """Return our rules."""
        return self.rules[form].text

    @property
    def system_texts(self) -> tuple[str, ...]:
        """Our rules in every form."""
        return tuple(self.rules[form].text for form in AnswerForm)

    def messages(self, form: AnswerForm = AnswerForm.JSON) -> list[BaseMessage]:
        """Return the messages that are sent."""
        return self.rules[form].template.format_messages(request=self.user)
