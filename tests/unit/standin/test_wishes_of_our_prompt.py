"""The stand-in understands the prompt that the service really sends."""

from typing import Any

import pytest
from langchain_core.messages import convert_to_openai_messages

from jiraiya_events.adapters.standin.chat import answer
from jiraiya_events.adapters.standin.wish import read_wish
from jiraiya_events.domain.request import Length, StoryRequested
from jiraiya_events.domain.story import Story, Usage
from jiraiya_events.generation.answer import Draft, read_answer
from jiraiya_events.generation.checks import check
from jiraiya_events.generation.paid import ModelAnswer
from jiraiya_events.generation.prompt import AnswerForm
from jiraiya_events.generation.prompt_book import PromptBook, output_tokens


def call_for(request: StoryRequested, form: AnswerForm) -> dict[str, Any]:
    """Return the body of the chat request that is made for it."""
    messages = PromptBook().render(request).messages(form)
    body: dict[str, Any] = {
        "model": "any",
        "messages": convert_to_openai_messages(messages),
        "max_tokens": output_tokens(request),
    }
    if form is AnswerForm.JSON:
        body["response_format"] = {"type": "json_schema", "json_schema": {"name": "story"}}
    return body


@pytest.mark.parametrize("length", list(Length))
def test_the_length_our_prompt_asks_for_is_the_length_it_writes(length: Length) -> None:
    """Else every medium or long demo story would be refused as too short."""
    request = StoryRequested(user_id="u", keywords=["fox"], length=length, language="fr")
    wish = read_wish(call_for(request, AnswerForm.JSON)["messages"])
    assert (wish.words, wish.language, wish.keywords) == (length.words, "fr", ("fox",))


@pytest.mark.parametrize("length", list(Length))
@pytest.mark.parametrize("form", list(AnswerForm))
def test_what_it_writes_for_our_prompt_is_a_story(form: AnswerForm, length: Length) -> None:
    """In both forms, within the limit on its tokens, and about what was wished for."""
    request = StoryRequested(user_id="u", keywords=["fox", "lighthouse"], length=length)
    told = answer(call_for(request, form))
    draft = read_answer(
        ModelAnswer(
            text=told.content,
            finish_reason=told.finish_reason,
            refusal=None,
            usage=Usage(),
            model="any",
            provider="any",
            form=form,
        )
    )
    assert isinstance(draft, Draft)
    assert isinstance(check(draft, request), Story)
    assert "fox" in draft.content
    assert "lighthouse" in draft.content
