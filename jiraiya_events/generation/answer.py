"""Reading a story out of a model's answer.

All of it is linear in the length of the answer, whatever is in it: the event loop waits meanwhile.
"""

import json
import re
from dataclasses import dataclass
from string import ascii_letters
from typing import Final

from jiraiya_events.generation.classification import Flaw
from jiraiya_events.generation.finish_reasons import flaw_of_end
from jiraiya_events.generation.paid import ModelAnswer, PaidAnswer
from jiraiya_events.generation.prompt import AnswerForm
from jiraiya_events.generation.sanitize import clean_field, clean_story

LONGEST_TITLE: Final = 200
LONGEST_CONTENT: Final = 65_536
"""In characters. What is longer is no story, and nothing else looks at it."""

FENCE: Final = "```"
THOUGHTS: Final = ("<think>", "</think>")
"""Self-hosted models that reason put their thoughts between these, before the answer."""

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
    text = _without_thoughts(answer.text)
    if text is None:
        return Flaw.UNREADABLE
    text = _without_fence(text)
    if answer.form is AnswerForm.JSON or text.lstrip().startswith("{"):
        return _read_json(text)
    return _read_text(text)


def _flaw_before_reading(answer: ModelAnswer | PaidAnswer) -> Flaw | None:
    return flaw_of_end(answer) or (None if answer.text.strip() else Flaw.BLOCKED)


def _without_thoughts(text: str) -> str | None:
    """Return the answer behind its thoughts; None when those have no end."""
    opening, closing = THOUGHTS
    if not text.lstrip().removeprefix("\ufeff").startswith(opening):
        return text
    _, ended, rest = text.partition(closing)
    return rest if ended else None


def _without_fence(text: str) -> str:
    block = text.strip()
    fenced = block.startswith(FENCE) and block.endswith(FENCE) and len(block) >= 2 * len(FENCE)
    return block[3:-3].lstrip(ascii_letters).strip() if fenced else text


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
    if len(title) > LONGEST_TITLE or len(content) > LONGEST_CONTENT:
        return Flaw.WRONG_LENGTH
    draft = Draft(clean_field(clean_story(title)), clean_story(content))
    return draft if draft.title and draft.content else Flaw.UNREADABLE
