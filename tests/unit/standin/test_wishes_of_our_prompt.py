"""The stand-in understands the prompt that the service really sends."""

import pytest

from jiraiya_events.adapters.standin.wish import read_wish
from jiraiya_events.domain.request import Length, StoryRequested
from jiraiya_events.generation.prompt import PromptTemplate


@pytest.mark.parametrize("length", list(Length))
def test_the_length_our_prompt_asks_for_is_the_length_it_writes(length: Length) -> None:
    """Else every medium or long demo story would be refused as too short."""
    request = StoryRequested(user_id="u", keywords=["fox"], length=length, language="fr")
    messages = [
        {"role": role, "content": text}
        for role, text in PromptTemplate().render(request).messages()
    ]
    wish = read_wish(messages)
    assert (wish.words, wish.language, wish.keywords) == (length.words, "fr", ("fox",))
