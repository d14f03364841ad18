"""Reading a story out of a model's answer."""

import json
import re
from dataclasses import dataclass
from typing import Final

from jiraiya_events.generation.classification import Flaw
from jiraiya_events.generation.finish_reasons import flaw_of_end
from jiraiya_events.generation.paid import ModelAnswer, PaidAnswer
from jiraiya_events.generation.prompt import AnswerForm
from jiraiya_events.generation.sanitize import clean_field, clean_story

_FENCED: Final = re.compile(r"\s*```[a-zA-Z]*\s*\n?(.*?)\n?\s*```\s*\Z", re.DOTALL)
_TITLE_MARKS: Final = " \t#*_\"'“”„«»"
_TITLE_LABEL: Final = re.compile(r"(?i)title\s*:\s*")
_JSON = json.JSONDecoder(strict=False)


@dataclass(frozen=True, slots=True)
class Draft:
    """A title and a text that still have to pass the checks."""

    title: str
    content: str


def read_answer(answer: ModelAnswer | PaidAnswer) -> Draft | Flaw:
    """Return the draft in `answer`, or why there is none."""
    flaw = _flaw_before_reading(answer)
    if flaw is not None:
        return flaw
    text = _without_fence(answer.text)
    if answer.form is AnswerForm.JSON or text.lstrip().startswith("{"):
        return _read_json(text)
    return _read_text(text)


def _flaw_before_reading(answer: ModelAnswer | PaidAnswer) -> Flaw | None:
    return flaw_of_end(answer) or (None if answer.text.strip() else Flaw.BLOCKED)


def _without_fence(text: str) -> str:
    fenced = _FENCED.match(text) if "```" in text else None
    return fenced.group(1) if fenced else text


def _read_json(text: str) -> Draft | Flaw:
    try:
        story = _JSON.decode(text.strip().removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return Flaw.UNREADABLE
    if not isinstance(story, dict):
        return Flaw.UNREADABLE
    title, content = story.get("title"), story.get("content")
    if not isinstance(title, str) or not isinstance(content, str):
        return Flaw.UNREADABLE
    return _draft(title, content)


def _read_text(text: str) -> Draft | Flaw:
    first, _, rest = text.strip().partition("\n")
    title = _TITLE_LABEL.sub("", first.strip(_TITLE_MARKS), count=1).strip(_TITLE_MARKS)
    return _draft(title, rest)


def _draft(title: str, content: str) -> Draft | Flaw:
    draft = Draft(clean_field(clean_story(title)), clean_story(content))
    return draft if draft.title and draft.content else Flaw.UNREADABLE
