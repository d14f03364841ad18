"""From a request to the prompt that is sent for it.

What a stranger wrote goes into one JSON message and never into the system text, which is one of
a fixed number of texts. There is one chat template for each choice of audience, language and length
and each form: it is made once, then kept, and makes the messages of every request.
"""
# ruff: noqa: PLC0415 - LangChain takes long to import, and commands that call no model import this

import json
import secrets
from collections.abc import Mapping
from importlib.resources.abc import Traversable
from typing import Any, Final, NamedTuple

from jiraiya_events.domain.request import Audience, Length, StoryRequested
from jiraiya_events.generation.language_lookup import lookup
from jiraiya_events.generation.prompt import AnswerForm, Prompt, Rules
from jiraiya_events.generation.prompt_files import OTHER, packaged, read_prompt_files
from jiraiya_events.generation.sanitize import clean_field

TOKENS_PER_WORD: Final = 8
"""Room for twice the words asked for, the most that is accepted, at four tokens a word."""


class Choice(NamedTuple):
    """What decides the system text; `language` is the name of a file."""

    audience: Audience
    language: str
    length: Length


class PromptBook:
    """The prompts of one version; reads its files when it is made.

    The `canary` is new with each book unless one is given.

    Raises:
        ServiceError: a file is missing or cannot be used.
    """

    def __init__(self, folder: Traversable | None = None, canary: str | None = None) -> None:
        self._texts = read_prompt_files(folder or packaged())
        self._canary = canary or secrets.token_hex(6)
        self._rules: dict[Choice, Mapping[AnswerForm, Rules]] = {}

    @property
    def version(self) -> str:
        """The name of the folder."""
        return self._texts.version

    @property
    def canary(self) -> str:
        """The token that stands in every system text and belongs in no story."""
        return self._canary

    def load(self) -> None:
        """Import LangChain now, which the first prompt would otherwise wait for."""
        self._rules_for(Choice(Audience.CHILDREN, OTHER, Length.SHORT))

    def render(self, request: StoryRequested) -> Prompt:
        """Return the prompt for `request`; identity and metadata never reach the model."""
        language = lookup(request.language, self._texts.language, OTHER)
        rules = self._rules_for(Choice(request.audience, language, request.length))
        return Prompt(rules, _wish(request), self.version, self._canary)

    def _rules_for(self, choice: Choice) -> Mapping[AnswerForm, Rules]:
        rules = self._rules.get(choice)
        if rules is None:
            rules = self._rules[choice] = {form: self._made(choice, form) for form in AnswerForm}
        return rules

    def _made(self, choice: Choice, form: AnswerForm) -> Rules:
        from jiraiya_events.generation.prompt_templates import chat_template

        template = chat_template(self._texts, **choice._asdict(), form=form, canary=self._canary)
        system, _ = template.format_messages(request="")
        return Rules(template, system.text)


def output_tokens(request: StoryRequested) -> int:
    """Return how many tokens an answer may have where no setting says it."""
    return TOKENS_PER_WORD * request.length.words


def _wish(request: StoryRequested) -> str:
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
    return json.dumps(wish, ensure_ascii=False)


def _clean_all(texts: list[str]) -> list[str]:
    return [cleaned for text in texts if (cleaned := clean_field(text))]
