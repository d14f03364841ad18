"""The prompt: our rules in the system text, the request as data in one JSON message."""

import json
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from string import Template
from typing import Any, Final

from jiraiya_events.domain.request import StoryRequested
from jiraiya_events.generation.sanitize import clean_field

PROMPT_VERSION: Final = "story.v1"

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


_ASK_FOR = {
    AnswerForm.JSON: (
        'Answer with one JSON object and nothing else: {"title": "...", "content": "..."}. '
        "Separate paragraphs of the content with a blank line."
    ),
    AnswerForm.TEXT: (
        "Answer with the title alone on the first line, then a blank line, then the story. "
        "Separate paragraphs with a blank line."
    ),
}


@dataclass(frozen=True, slots=True)
class Prompt:
    """Exactly what is sent; the system text depends on the form an endpoint can answer in."""

    system: dict[AnswerForm, str]
    user: str
    version: str = PROMPT_VERSION

    def messages(self, form: AnswerForm = AnswerForm.JSON) -> list[tuple[str, str]]:
        """Return (role, content) pairs."""
        return [("system", self.system[form]), ("user", self.user)]


class PromptTemplate:
    """A packaged, versioned template; rendering it does no I/O."""

    def __init__(self, version: str = PROMPT_VERSION) -> None:
        text = (files(__package__) / "prompts" / f"{version}.txt").read_text(encoding="utf-8")
        template = Template(text.strip())
        self.version = version
        self._system = {form: template.substitute(answer_form=_ASK_FOR[form]) for form in _ASK_FOR}

    def render(self, request: StoryRequested) -> Prompt:
        """Return the prompt for `request`; identity and metadata never reach the model."""
        wish: dict[str, Any] = {
            "keywords": _clean_all(request.keywords),
            "audience": request.audience.value,
            "language": request.language,
            "words": request.length.words,
        }
        for name in ("genre", "tone", "title", "instructions"):
            text = getattr(request, name)
            if text is not None and (cleaned := clean_field(text)):
                wish[name] = cleaned
        if request.characters:
            wish["characters"] = _clean_all(request.characters)
        return Prompt(self._system, json.dumps(wish, ensure_ascii=False), self.version)


def _clean_all(texts: list[str]) -> list[str]:
    return [cleaned for text in texts if (cleaned := clean_field(text))]
