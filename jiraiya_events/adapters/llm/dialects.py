"""How an endpoint wants to be asked, as far as it differs; learned from what it refuses.

OpenAI renamed `max_tokens` to `max_completion_tokens` and refuses the old name for some models;
others never took over the new one. Many know no structured output.
"""

import re
from dataclasses import dataclass, replace
from typing import Any, Final

import openai

from jiraiya_events.adapters.llm.faults import causes
from jiraiya_events.adapters.llm.options import FormChoice
from jiraiya_events.adapters.llm.provider_words import words_of
from jiraiya_events.generation.prompt import STORY_SCHEMA, AnswerForm

NEW_LIMIT: Final = "max_completion_tokens"
OLD_LIMIT: Final = "max_tokens"

_FORM: Final = "response_format"
_JSON: Final[dict[str, Any]] = {
    _FORM: {
        "type": "json_schema",
        "json_schema": {"name": "story", "strict": True, "schema": STORY_SCHEMA},
    }
}
# The name is known then, and its value is not liked: the other name would not help.
_TOO_MUCH: Final = re.compile(
    r"(?i)too (large|long|high|big|many)|at most|less than|maximum|exceed"
)


@dataclass(frozen=True, slots=True)
class Dialect:
    """The form of the answers, and the name of their limit in tokens."""

    form: AnswerForm
    limit: str = NEW_LIMIT

    def arguments(self, max_output_tokens: int | None) -> dict[str, Any]:
        """Return what LangChain is given for it; it would rename `max_tokens` by itself."""
        arguments: dict[str, Any] = {}
        body = _JSON if self.form is AnswerForm.JSON else {}
        if max_output_tokens is not None and self.limit == NEW_LIMIT:
            arguments[NEW_LIMIT] = max_output_tokens
        elif max_output_tokens is not None:
            body = {**body, OLD_LIMIT: max_output_tokens}
        if body:
            arguments["extra_body"] = body
        return arguments

    def refused(self, error: Exception, choice: FormChoice) -> "Dialect":
        """Return the dialect the endpoint may know instead, this one when that is not why."""
        reason = _reason(error)
        form, limit = self.form, self.limit
        if choice is FormChoice.AUTO and _FORM in reason:
            form = AnswerForm.TEXT
        if re.search(rf"\b{limit}\b", reason) and not _TOO_MUCH.search(reason):
            limit = OLD_LIMIT if limit == NEW_LIMIT else NEW_LIMIT
        return replace(self, form=form, limit=limit)


def _reason(error: Exception) -> str:
    """Return what a refusal is about, empty when the request was not refused as wrong."""
    for cause in causes(error):
        if isinstance(cause, openai.BadRequestError | openai.UnprocessableEntityError):
            return f"{cause.param or ''} {cause.message} {words_of(cause.body)}"
    return ""
