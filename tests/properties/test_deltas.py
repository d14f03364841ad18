"""Deltas of an answer against the reader of the whole: the same content, however it is cut."""

import json
import re
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jiraiya_events.generation.answer import LONGEST_CONTENT, Draft, _without_fence, read_answer
from jiraiya_events.generation.deltas import ContentDeltas
from jiraiya_events.generation.paid import ModelAnswer
from jiraiya_events.generation.prompt import AnswerForm
from jiraiya_events.generation.sanitize import clean_story

# What escapes, fences and surrogates are made of, so that cuts often fall into them.
TRICKY = st.sampled_from(
    ['"', "\\", "\n", "\n\n", "\t", "`", "```", "{", "}", ":", ",", " ", "content", '"content":',
     "\U0001f98a", "\ud83e", "\udd8a", "é", "u", "ud83e", "\\u", "\ufeff", "/", "\u2028"]
)  # fmt: skip
TEXT = st.lists(TRICKY | st.characters(), max_size=30).map("".join)
FENCES = st.sampled_from([("", ""), ("```json\n", "\n```"), ("```\n", "```\n"), (" \n", "\n ")])
THOUGHTS = st.just("") | TEXT.map(lambda text: f"<think>{text}</think>\n\n")


@st.composite
def pieces_of(draw: st.DrawFn, text: str) -> list[str]:
    """Cut `text` anywhere."""
    cuts = sorted(draw(st.sets(st.integers(1, max(1, len(text) - 1)), max_size=12)))
    ends = [0, *cuts, len(text)]
    return [text[start:end] for start, end in pairwise(ends)]


@st.composite
def json_answers(draw: st.DrawFn) -> list[str]:
    """A story as a JSON object with anything beside it, in pieces."""
    others = draw(st.dictionaries(TEXT.filter(lambda key: key not in {"title", "content"}),
                                  TEXT | st.lists(st.integers()) | st.dictionaries(TEXT, TEXT),
                                  max_size=3))  # fmt: skip
    items = [*others.items(), ("title", draw(TEXT)), ("content", draw(TEXT))]
    story = dict(draw(st.permutations(items)))
    text = json.dumps(story, ensure_ascii=draw(st.booleans()), indent=draw(st.none() | st.just(1)))
    before, after = draw(FENCES)
    return draw(pieces_of(draw(THOUGHTS) + before + text + after))


@st.composite
def text_answers(draw: st.DrawFn) -> list[str]:
    """A title line and text below it, in pieces."""
    before, after = draw(FENCES)
    return draw(pieces_of(f"{draw(THOUGHTS)}{before}T{draw(TEXT)}\n{draw(TEXT)}{after}"))


def told(pieces: Sequence[str], form: AnswerForm) -> str:
    """Return all deltas of these pieces."""
    deltas = ContentDeltas(form)
    parts = [deltas.feed(piece) for piece in pieces]
    for part in parts:
        part.encode()
    return "".join(parts)


def read(text: str, form: AnswerForm) -> str | None:
    """Return the content of the whole answer, if it can be read."""
    whole = text.encode("utf-8", "replace").decode()
    draft = read_answer(ModelAnswer(whole, "stop", None, None, "m", "p", form))
    return draft.content if isinstance(draft, Draft) else None


@given(json_answers())
@example(['{"title": "T", "content": "a \\', "ud83e", "\\udd8", 'a b"}'])
@example(['{"title": "T", "content": "\\ud83e', '\\n\\udd8a\\\\"}'])
@example(['{"title": "\\"content\\": \\"no\\"", "x": {"content": "no"}, "content": "', 'yes"}'])
def test_deltas_of_json_make_up_the_content(pieces: list[str]) -> None:
    content = read("".join(pieces), AnswerForm.JSON)
    if content is not None:
        assert clean_story(told(pieces, AnswerForm.JSON)) == content


@given(text_answers())
@example(["T", "\n", "\nOnce", " ", "upon\n", "```"])
@example(["`", "``\nT\nOnce", "\n``", "`"])
@example(["```\nT\nOnce`", " \n", "``", "`", " ``", " ", "`\n", "```"])
@example([" <th", "ink>\nT\nno</thin", "k>no</", "think", ">\n ", "\nT\n", "yes"])
def test_deltas_of_text_make_up_the_content(pieces: list[str]) -> None:
    content = read("".join(pieces), AnswerForm.TEXT)
    if content is not None:
        assert clean_story(told(pieces, AnswerForm.TEXT)) == content


@given(st.lists(TEXT), st.sampled_from(AnswerForm))
def test_no_text_breaks_the_reader(pieces: list[str], form: AnswerForm) -> None:
    told(pieces, form)


FILLERS = ["word", "\\n", "    ", "`` `", "\\\\", "\\u00", '\\"', "\\ud83e", "````", "[[[["]
BEGINNINGS = [
    "", "<think>", "```", "```json\n{", "T\n", "```\nT\n", "```\nT\n`",
    '{"', '{"title":"', '{"content":"', '{"content":"\\u12g', '{"x":1',
]  # fmt: skip


@pytest.mark.parametrize("beginning", BEGINNINGS)
@pytest.mark.parametrize("filler", FILLERS)
@pytest.mark.parametrize("form", list(AnswerForm))
def test_a_long_answer_in_small_pieces_is_read_at_once(
    beginning: str, filler: str, form: AnswerForm
) -> None:
    """The time is linear: where pieces are read again with each that follows, this does not end."""
    deltas = ContentDeltas(form)
    parts = [deltas.feed(piece) for piece in (beginning, *[filler] * 100_000)]
    assert sum(map(len, parts)) <= LONGEST_CONTENT


@given(st.lists(TRICKY | st.sampled_from(["json", "a", "```"]), max_size=12).map("".join))
def test_a_fence_is_what_it_was_when_an_expression_said_it(text: str) -> None:
    """The expression took cubic time to find none; what it found is the same."""
    said = re.compile(r"\s*```[a-zA-Z]*\s*\n?(.*?)\n?\s*```\s*\Z", re.DOTALL).match(text)
    assert _without_fence(text) == (said.group(1) if said else text)
