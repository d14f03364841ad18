"""The safety checks under any text."""

import re
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from jiraiya_events.domain.request import Audience, StoryRequested
from jiraiya_events.generation.safety import folding
from jiraiya_events.generation.safety.age_bands import age_bands, fit_so_far, is_fit
from jiraiya_events.generation.safety.cues import Pattern
from jiraiya_events.generation.safety.decoding import decoded
from jiraiya_events.generation.safety.input_check import Refused, check_request
from jiraiya_events.generation.safety.leak import leaks
from jiraiya_events.generation.safety.patterns import load_patterns
from jiraiya_events.generation.sanitize import clean_field

PATTERNS = load_patterns().all
PHRASES = tuple({phrase for band in age_bands().values() for phrase in band.phrases.all})
CUES = sorted({cue for pattern in PATTERNS for cue in pattern.cues})
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


@cache
def _samples(pattern: Pattern) -> SearchStrategy[str]:
    # Only what the pattern needs: no accents of other alphabets, no text around it.
    return st.from_regex(re.compile(pattern.regex.pattern), fullmatch=True)


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.id)
@given(data=st.data())
def test_every_match_of_a_pattern_holds_one_of_its_cues(
    pattern: Pattern, data: st.DataObject
) -> None:
    """Proves that looking for cues first loses nothing."""
    match = data.draw(_samples(pattern))
    assert any(cue in match for cue in pattern.cues)


@pytest.mark.parametrize("phrase", PHRASES, ids=lambda phrase: phrase.id)
@given(data=st.data())
def test_every_match_of_an_age_rule_holds_a_cue_where_a_word_begins(
    phrase: Pattern, data: st.DataObject
) -> None:
    """Proves the same of the rules for readers, whose cues are looked up by their beginnings."""
    match = data.draw(_samples(phrase))
    starts = {word[:3] for word in re.findall(r"\w+", match)}
    spaced = phrase.regex.pattern.startswith(r"\b")
    assert any(cue in match and (not spaced or cue[:3] in starts) for cue in phrase.cues)


@given(texts, st.sampled_from(Audience))
def test_what_a_whole_text_may_say_its_beginning_may(text: str, audience: Audience) -> None:
    """Proves that a story is not stopped in its middle for what is fit at its end."""
    if is_fit(text, audience):
        assert fit_so_far(text, audience)


@given(st.lists(st.sampled_from("one two three four".split()), min_size=8, max_size=30))
def test_any_eight_words_of_a_text_leak_it(words: list[str]) -> None:
    """Proves the search for rows on texts full of repetitions."""
    system = " ".join(words)
    for start in range(len(words) - 7):
        assert leaks(f"so {' '.join(words[start : start + 8])} it went", (system,), "")
