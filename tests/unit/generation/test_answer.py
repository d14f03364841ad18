"""Reading drafts out of answers, and judging their length."""

import json
from typing import Any

import pytest

from jiraiya_events.domain.request import Length, StoryRequested
from jiraiya_events.domain.story import Story
from jiraiya_events.generation.answer import Draft, read_answer
from jiraiya_events.generation.checks import check
from jiraiya_events.generation.classification import Flaw
from jiraiya_events.generation.paid import ModelAnswer
from jiraiya_events.generation.prompt import AnswerForm

STORY = '{"title": "The Fox", "content": "One.\\n\\nTwo."}'
DRAFT = Draft("The Fox", "One.\n\nTwo.")


def answer(text: str, form: AnswerForm = AnswerForm.JSON, **more: Any) -> ModelAnswer:
    """Return a model's answer."""
    facts: dict[str, Any] = {"finish_reason": "stop", "refusal": None, **more}
    return ModelAnswer(text=text, usage=None, model="m", provider="p", form=form, **facts)


@pytest.mark.parametrize(
    "text",
    [
        STORY,
        f"\n {STORY}\n",
        f"```json\n{STORY}\n```",
        f"```\n{STORY}\n```\n",
        "\ufeff" + STORY,
        STORY.replace("\\n", "\n"),
        STORY.replace("\\n", "\\r\\n"),
        STORY.replace("The Fox", "**no").replace("**no", " The\\tFox\\u0000 "),
    ],
)
def test_json_is_read_in_the_dress_models_give_it(text: str) -> None:
    """Proves fences, a BOM, raw line feeds and control characters."""
    assert read_answer(answer(text)) == DRAFT


@pytest.mark.parametrize(
    "text",
    [
        "The Fox\n\nOne.\n\nTwo.",
        "# The Fox\nOne.\n\nTwo.",
        "**Title: The Fox**\n\nOne.\n\nTwo.",
        "```\nThe Fox\n\nOne.\n\nTwo.\n```",
        STORY,
    ],
)
def test_the_text_form_has_its_title_on_the_first_line(text: str) -> None:
    """Proves the form for endpoints without structured output; JSON is welcome there too."""
    assert read_answer(answer(text, AnswerForm.TEXT)) == DRAFT


@pytest.mark.parametrize(
    "text",
    [
        "Once upon a time",
        "[1]",
        "null",
        '{"title": "T"}',
        '{"title": "", "content": "c"}',
        '{"title": "t", "content": " "}',
        '{"title": 1, "content": "c"}',
        '{"title": "t", "content": "c"',
        "[" * 100_000,
    ],
)
def test_anything_else_is_unreadable(text: str) -> None:
    """Proves that no text of a model raises."""
    assert read_answer(answer(text)) is Flaw.UNREADABLE


@pytest.mark.parametrize(
    ("more", "flaw"),
    [
        ({"finish_reason": None}, Flaw.NO_FINISH_REASON),
        ({"finish_reason": "length"}, Flaw.TRUNCATED),
        ({"finish_reason": "MAX_TOKENS"}, Flaw.TRUNCATED),
        ({"finish_reason": "model_length"}, Flaw.TRUNCATED),
        ({"finish_reason": "content_filter"}, Flaw.BLOCKED),
        ({"finish_reason": "content_filter: RECITATION"}, Flaw.BLOCKED),
        ({"finish_reason": "SAFETY"}, Flaw.BLOCKED),
        ({"refusal": "no"}, Flaw.BLOCKED),
        ({"refusal": "no", "finish_reason": None}, Flaw.BLOCKED),
    ],
)
def test_how_an_answer_ended_comes_before_its_text(more: dict[str, Any], flaw: Flaw) -> None:
    """Proves that text that looks fine does not hide its end."""
    assert read_answer(answer(STORY, **more)) is flaw


@pytest.mark.parametrize(
    "reason", ["", "error", "abort", "insufficient_system_resource", "tool_calls", "what is this"]
)
@pytest.mark.parametrize("form", list(AnswerForm))
def test_an_end_nobody_knows_is_none(reason: str, form: AnswerForm) -> None:
    """Proves that half a story is not published because of a new word."""
    half = "The Fox\n\nOne. And then"
    assert read_answer(answer(half, form, finish_reason=reason)) is Flaw.NO_FINISH_REASON


@pytest.mark.parametrize("reason", ["stop", "STOP", "eos", "eos_token", "end_turn", "COMPLETE"])
def test_other_words_for_the_end_are_taken_as_one(reason: str) -> None:
    """Proves that compatible endpoints may use words of their own."""
    assert read_answer(answer(STORY, finish_reason=reason)) == DRAFT


@pytest.mark.parametrize("story", [STORY, f"```json\n{STORY}\n```", "The Fox\n\nOne.\n\nTwo."])
def test_what_a_model_thought_first_is_no_part_of_its_answer(story: str) -> None:
    """Proves it for both forms; thoughts may hold anything."""
    form = AnswerForm.JSON if STORY in story else AnswerForm.TEXT
    thoughts = '<think>\n{"title": 1}\n```\nI should write of a fox.\n</think>\n\n'
    assert read_answer(answer(thoughts + story, form)) == DRAFT
    assert read_answer(answer(f"\n{thoughts}{story}", form)) == DRAFT


@pytest.mark.parametrize("form", list(AnswerForm))
def test_thoughts_without_an_end_are_no_story(form: AnswerForm) -> None:
    """Proves that nobody reads them as one."""
    text = "<think>\nThe user wants a fox.\n\nThe Fox\n\nOne."
    assert read_answer(answer(text, form)) is Flaw.UNREADABLE
    assert read_answer(answer("The <think>\n\nOne.", AnswerForm.TEXT)) == Draft(
        "The <think>", "One."
    )


@pytest.mark.parametrize("form", list(AnswerForm))
@pytest.mark.parametrize(
    ("title", "content", "long"),
    [("t" * 200, "c" * 65_536, False), ("t" * 201, "c", True), ("t", "c" * 65_537, True)],
)
def test_no_title_and_no_content_is_longer_than_any_story(
    form: AnswerForm, title: str, content: str, *, long: bool
) -> None:
    """Proves the bound in characters, which nothing else has to look beyond."""
    whole = f"{title}\n{content}"
    text = json.dumps({"title": title, "content": content}) if form is AnswerForm.JSON else whole
    expected = Flaw.WRONG_LENGTH if long else Draft(title, content)
    assert read_answer(answer(text, form)) == expected


@pytest.mark.parametrize("form", list(AnswerForm))
def test_an_answer_of_nothing_but_line_feeds_is_read_at_once(form: AnswerForm) -> None:
    """Proves that the time is linear: where each begins a search, this does not end."""
    read_answer(answer("```" + "\n" * 300_000 + "x", form))
    read_answer(answer("```" + "\n" * 300_000 + "```x```", form))


def test_an_empty_answer_is_a_refusal() -> None:
    """Proves it for nothing and for white space."""
    assert {read_answer(answer(text)) for text in ("", " \n")} == {Flaw.BLOCKED}


def test_half_a_surrogate_pair_cannot_get_into_a_story() -> None:
    """Proves that what is read can always be published as UTF-8."""
    read = read_answer(answer(json.dumps({"title": "t", "content": "moon \ud83c"})))
    assert read == Draft("t", "moon ?")


@pytest.mark.parametrize("length", list(Length))
def test_a_story_may_be_two_fifths_to_twice_as_long_as_asked(length: Length) -> None:
    """Proves both ends of the range, each inside and one word outside."""
    request = StoryRequested(user_id="u", keywords=["k"], length=length, language="de")
    low, high = length.words * 2 // 5, length.words * 2
    passed = {
        words: isinstance(check(Draft("t", "w " * words), request), Story)
        for words in (low - 1, low, high, high + 1)
    }
    assert list(passed.values()) == [False, True, True, False]


def test_a_story_tells_its_language_and_words() -> None:
    """Proves the fields the model is not asked for."""
    request = StoryRequested(user_id="u", keywords=["k"], language="de")
    story = check(Draft("t", "w " * 150), request)
    assert isinstance(story, Story)
    assert (story.language, story.word_count) == ("de", 150)
