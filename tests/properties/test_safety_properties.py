"""The safety checks under any text."""

import importlib
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from jiraiya_events.domain.request import Audience, StoryRequested
from jiraiya_events.generation.safety import folding
from jiraiya_events.generation.safety.age_bands import age_bands, broken_by, found_in
from jiraiya_events.generation.safety.beginning import Beginning
from jiraiya_events.generation.safety.cues import Pattern
from jiraiya_events.generation.safety.decoding import decoded
from jiraiya_events.generation.safety.input_check import Refused, check_request
from jiraiya_events.generation.safety.leak import leaks
from jiraiya_events.generation.safety.literals import literals_of
from jiraiya_events.generation.safety.patterns import load_patterns
from jiraiya_events.generation.sanitize import clean_field, clean_story
from tests.prompts import prompt

PATTERNS = load_patterns().all
PHRASES = {phrase.id: phrase for band in age_bands().values() for phrase in band.phrases.all}
CUES = sorted({cue for pattern in PATTERNS for cue in literals_of(pattern.regex)})
PARSER: Any = importlib.import_module("re._parser")
PHRASE_CUES = sorted({cue for phrase in PHRASES.values() for cue in literals_of(phrase.regex)})
PROMPT = prompt()
letters = st.characters(exclude_categories=["Cs"])
texts = st.text(letters) | st.lists(
    st.sampled_from(CUES) | st.text(letters, max_size=4), max_size=40
).map(" ".join)


def field(longest: int) -> SearchStrategy[str]:
    """Return texts a field of this length takes."""
    return texts.map(lambda text: text[:longest].strip()).filter(bool)


requests = st.builds(
    StoryRequested,
    user_id=st.just("u"),
    request_id=st.none(),
    keywords=st.lists(field(64), min_size=1, max_size=20),
    genre=field(64) | st.none(),
    tone=field(64) | st.none(),
    title=field(120) | st.none(),
    characters=st.lists(field(64), max_size=8),
    instructions=field(500) | st.none(),
    language=st.just("en"),
    model=st.none(),
    timeout_ms=st.none(),
    metadata=st.just({}),
    correlation_id=st.none(),
)


@given(requests)
def test_any_request_is_checked_to_an_end_and_fits_the_schema_again(
    request: StoryRequested,
) -> None:
    """Proves that no text breaks the check, and that what comes out could have come in."""
    checked = check_request(request)
    if isinstance(checked, StoryRequested):
        again = StoryRequested.model_validate(checked.model_dump())
        assert again.keywords == checked.keywords
        assert again.instructions == checked.instructions


@given(requests)
def test_what_passed_without_a_doubt_is_changed_no_more(request: StoryRequested) -> None:
    """Proves that the copy is what the prompt makes of it: cleaning it again does nothing."""
    checked = check_request(request)
    if isinstance(checked, Refused):
        return
    for text in (*checked.keywords, *checked.characters, checked.title or "", checked.tone or ""):
        assert clean_field(text) == text


@given(st.text(st.sampled_from("a# \n\r\t\u200b\u200d\ufe0f\u20e3क्ष❤🏴\U000e0067\U000e007f\u202e")))
def test_what_was_said_of_a_story_stays_its_beginning(text: str) -> None:
    """Proves that cleaning what has arrived and cleaning the whole agree."""
    whole = clean_story(text)
    for end in range(len(text)):
        assert whole.startswith(clean_story(text[:end]))


@given(texts)
def test_folding_keeps_every_place(text: str) -> None:
    """Proves that what is found in the folded text can be cut out of the original."""
    assert len(folding.fold(text)) == len(text)
    assert folding.fold(folding.fold(text)) == folding.fold(text)


@given(texts)
def test_word_starts_are_places_of_the_joined_text(text: str) -> None:
    """Proves that the two agree on what is left out."""
    folded = folding.fold(text)
    length = len(folding.joined(folded))
    assert all(0 <= start < length for start in folding.word_starts(folded))


@given(texts)
def test_decoding_never_raises(text: str) -> None:
    """Proves that what only looks encoded does no harm."""
    for hidden in decoded(text):
        assert isinstance(hidden, str)


@pytest.mark.parametrize("pattern", [*PATTERNS, *PHRASES.values()], ids=lambda pattern: pattern.id)
@settings(max_examples=25)
@given(seed=st.integers(0, 2**32))
def test_every_match_holds_one_of_the_texts_that_are_looked_for_first(
    pattern: Pattern, seed: int
) -> None:
    """Proves that the quick look loses nothing, and that the parser's tree is read rightly."""
    dice = random.Random(seed)
    for regex in filter(None, (pattern.regex, pattern.joined)):
        match = a_match(PARSER.parse(regex.pattern), dice)
        if regex.search(match):
            assert any(text in match for text in literals_of(regex))


def a_match(tree: Any, dice: random.Random) -> str:
    """Return a text that matches the expression, but for what it asks of its surroundings."""
    return "".join(_part(str(operator), argument, dice) for operator, argument in tree)


def _part(name: str, argument: Any, dice: random.Random) -> str:
    if name == "LITERAL":
        return chr(argument)
    if name in {"MAX_REPEAT", "MIN_REPEAT"}:
        low, high, inner = argument
        times = dice.choice([low, min(low + 1, high), min(low + 3, high)])
        return "".join(a_match(inner, dice) for _ in range(times))
    if name == "SUBPATTERN":
        return a_match(argument[-1], dice)
    if name == "BRANCH":
        return a_match(dice.choice(argument[1]), dice)
    if name == "IN":
        operator, one = dice.choice(argument)
        return _letter(str(operator), one, dice)
    assert name in {"AT", "ASSERT", "ASSERT_NOT", "ANY", "NOT_LITERAL"}, name
    return "" if name.startswith("A") and name != "ANY" else "x"


def _letter(name: str, argument: Any, dice: random.Random) -> str:
    if name == "LITERAL":
        return chr(argument)
    if name == "RANGE":
        return chr(dice.randint(*argument))
    return {"CATEGORY_NOT_WORD": " ", "CATEGORY_SPACE": " ", "CATEGORY_DIGIT": "7"}.get(
        str(argument), "x"
    )


@given(st.lists(texts | st.sampled_from(PHRASE_CUES), max_size=6), st.sampled_from(Audience))
def test_a_story_read_in_pieces_is_judged_as_a_whole(pieces: list[str], audience: Audience) -> None:
    """Proves that none is stopped for what is fit at its end, and that no end comes too late."""
    fit = True
    beginning, text = Beginning(audience, PROMPT), ""
    for piece in pieces:
        text += f"{piece}. "
        fit = fit and beginning.passes(text)
    assert fit == (not broken_by(found_in(text, audience)))


@given(st.lists(st.sampled_from(["one", "two", "three", "four"]), min_size=8, max_size=30))
def test_any_eight_words_of_a_text_leak_it(words: list[str]) -> None:
    """Proves the search for rows on texts full of repetitions."""
    system = " ".join(words)
    for start in range(len(words) - 7):
        assert leaks(f"so {' '.join(words[start : start + 8])} it went", (system,), "")
