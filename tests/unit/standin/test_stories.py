"""The stand-in's stories: honest, of the asked length, always the same for the same wish."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiraiya_events.adapters.standin.chat import ChatError, answer
from jiraiya_events.adapters.standin.noun import noun
from jiraiya_events.adapters.standin.phrases import phrases
from jiraiya_events.adapters.standin.storyteller import tell
from jiraiya_events.adapters.standin.wish import Wish, read_wish

KEYWORDS = ["dragon", "tea", "shoes", "friendship", "old map", "Paris", "umbrella", "a lost key"]


def _ask(fields: object, **others: object) -> dict[str, Any]:
    text = fields if isinstance(fields, str) else json.dumps(fields)
    return {"model": "m", "messages": [{"role": "user", "content": text}], **others}


@given(
    keywords=st.lists(st.sampled_from(KEYWORDS), min_size=1, max_size=8, unique=True),
    words=st.sampled_from([200, 500, 1000]),
    seed=st.text(),
    genre=st.sampled_from(["", "fairy tale"]),
    tone=st.sampled_from(["", "cheerful"]),
)
def test_a_story_has_its_length_and_every_keyword(
    keywords: list[str], words: int, seed: str, genre: str, tone: str
) -> None:
    """Within a fifth of the asked words, no keyword left out, whatever the seed."""
    tale = tell(Wish(tuple(keywords), genre=genre, tone=tone, words=words, seed=seed))
    assert 0.8 <= len(tale.content.split()) / words <= 1.2
    assert all(keyword.lower() in tale.content.lower() for keyword in keywords)
    assert tale.content.endswith(phrases().note)
    assert "{" not in tale.title + tale.content


def test_the_same_wish_gets_the_same_story_and_another_wish_another() -> None:
    """Tests and screenshots are stable; a demo is not twenty times the same story."""
    stories = {tell(Wish(("fox",), seed=str(number))).content for number in range(20)}
    assert len(stories) == 20
    assert tell(Wish(("fox",), seed="1")) == tell(Wish(("fox",), seed="1"))


def test_the_wished_title_and_characters_are_used() -> None:
    """The first character is the hero; a wished title stands as it is."""
    wish = Wish(("fox",), characters=("Ada", "Grace"), title="My Title", seed="s")
    tale = tell(wish)
    assert tale.title == "My Title"
    assert "Ada" in tale.content


def test_another_language_is_declined_in_plain_words() -> None:
    """A reader who asked for German learns why the story is in English."""
    assert "English is the only language" in tell(Wish(("fox",), language="de")).content


@pytest.mark.parametrize(
    ("keyword", "indefinite", "was"),
    [
        ("dragon", "a dragon", "was"),
        ("umbrella", "an umbrella", "was"),
        ("hour", "an hour", "was"),
        ("unicorn", "a unicorn", "was"),
        ("shoes", "shoes", "were"),
        ("bus", "a bus", "was"),
        ("children", "children", "were"),
        ("friendship", "friendship", "was"),
        ("spaceship", "a spaceship", "was"),
        ("Paris", "Paris", "was"),
        ("the moon", "the moon", "was"),
        ("猫", "猫", "was"),
    ],
)
def test_keywords_get_the_article_english_gives_them(
    keyword: str, indefinite: str, was: str
) -> None:
    """Countable, uncountable, plural and proper nouns read as a person would write them."""
    assert (noun(keyword).indefinite, noun(keyword).was) == (indefinite, was)


def test_json_is_answered_when_json_is_asked_for() -> None:
    """With a response format the content is an object of title and content."""
    told = answer(_ask({"keywords": ["fox"]}, response_format={"type": "json_object"}))
    assert json.loads(told.content).keys() == {"title", "content"}


def test_plain_text_starts_with_the_title() -> None:
    """Without a response format the first line is the title, as our text form reads it."""
    told = answer(_ask({"keywords": ["fox"], "title": "Foxes"}))
    assert told.content.startswith("Foxes\n\n")


def test_a_token_limit_cuts_the_story_and_says_so() -> None:
    """`max_tokens` is honoured with the finish reason a real model gives."""
    told = answer(_ask({"keywords": ["fox"]}, max_completion_tokens=20))
    assert (told.finish_reason, told.completion_tokens) == ("length", 20)


@pytest.mark.parametrize("body", [None, [], {}, {"messages": []}, {"messages": "hello"}])
def test_what_is_no_chat_request_is_refused(body: object) -> None:
    """A wrong body is an error in OpenAI's shape, not a crash."""
    with pytest.raises(ChatError) as refused:
        answer(body)
    assert refused.value.body()["error"]["type"] == "invalid_request_error"


def test_free_text_and_content_parts_are_understood() -> None:
    """The words that a free text is about become the keywords."""
    parts = [{"type": "text", "text": "Please tell a story about a penguin and a volcano"}]
    wish = read_wish([{"role": "system", "content": "x"}, {"role": "user", "content": parts}])
    assert wish.keywords == ("penguin", "volcano")


FIELDS = st.dictionaries(
    st.sampled_from(["keywords", "length", "genre", "characters", "title", "language"]),
    st.one_of(st.none(), st.integers(), st.text(), st.lists(st.text() | st.integers())),
)


@given(st.text() | FIELDS)
def test_any_user_message_gets_a_story(fields: object) -> None:
    """Whatever stands in the message, the answer is a titled story."""
    told = answer(_ask(fields if isinstance(fields, str) else json.dumps(fields)))
    assert told.content.endswith(")")
