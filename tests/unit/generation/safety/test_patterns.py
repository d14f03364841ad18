"""How patterns are written, and what is refused when one is written badly."""

import importlib
from typing import Any

import pytest

from jiraiya_events.generation.safety.age_bands import age_bands
from jiraiya_events.generation.safety.cues import Pattern
from jiraiya_events.generation.safety.patterns import Patterns, load_patterns, parse_patterns

PHRASES = {phrase.id: phrase for band in age_bands().values() for phrase in band.phrases.all}
ALL = [*load_patterns().all, *PHRASES.values()]


def written(regex: str, language: str = "en", *, joined: bool = False) -> str:
    """Return a file with one pattern and the list {ignore}."""
    return f"""
        between = "all|any"
        [words.en]
        ignore = "ignore|forget"
        [[pattern]]
        id = "p"
        weight = 10
        language = "{language}"
        joined = {str(joined).lower()}
        regex = '''{regex}'''
    """


def found(patterns: Patterns, text: str) -> bool:
    """Tell whether the one pattern is found in folded text."""
    return any(patterns.found_in(text))


def test_a_space_is_any_gap_and_a_tilde_some_words() -> None:
    """Proves the small language of the file."""
    patterns = parse_patterns(written("{ignore} ~2rules"))
    for text in ("ignore rules", "forget... the_rules", "ignore all the rules"):
        assert found(patterns, text)
    for text in ("ignorerules", "ignore all of the rules", "unignore rules", "recall rules"):
        assert not found(patterns, text)


def test_a_joined_pattern_needs_no_gaps_and_begins_with_a_word() -> None:
    """Proves what keeps letters of one word and of the next from making a third."""
    patterns = parse_patterns(written("{ignore} ~2rules", joined=True))
    for text in ("i g n o r e r-u-l-e-s", "forget allrules", "forgetall anyrules"):
        assert any(patterns.found_joined_in(text))
    for text in ("unforget rules", "forget big rules"):
        assert not any(patterns.found_joined_in(text))


def test_a_joined_pattern_finds_nothing_in_words_that_stand_as_they_should() -> None:
    """Proves that what stands before plain words still counts, and that they hide no disguise."""
    patterns = parse_patterns(written(r"(?<!\w\x20){ignore} ~2rules", joined=True))
    assert not found(patterns, "robots ignore all rules")
    assert not any(patterns.found_joined_in("robots ignore all rules"))
    assert any(patterns.found_joined_in("robots ignore all rules. i g n o r e all rules"))
    assert any(patterns.found_joined_in("robots i g n o r e all rules"))


def test_accents_in_a_pattern_do_not_matter_and_its_escapes_stay() -> None:
    r"""Proves that \W is not folded to \w."""
    patterns = parse_patterns(written(r"règles\W"))
    assert found(patterns, "regles!")
    assert not found(patterns, "regless")


def test_in_any_language_a_space_is_a_space() -> None:
    """Proves that markers can be written as they are."""
    patterns = parse_patterns(written('"role" ?:', language="any"))
    assert found(patterns, '"role" :')
    assert not found(patterns, '"role"--:')


@pytest.mark.parametrize(
    "regex", ["a+", "a*", "a{2,}", "(a", "{nothing}", r"\w+ rules", r"\w{3}", "(?:rule)?"]
)
def test_a_badly_written_pattern_is_named(regex: str) -> None:
    """Proves that an editor reads which pattern it is."""
    with pytest.raises(ValueError, match="pattern 'p'"):
        parse_patterns(written(regex))


def test_two_patterns_of_one_id_are_refused() -> None:
    """Proves that the log's ids are unambiguous."""
    one = written("rules")
    again = one[one.index("[[pattern]]") :]
    with pytest.raises(ValueError, match="same id"):
        parse_patterns(one + again)


@pytest.mark.parametrize("pattern", ALL, ids=lambda pattern: pattern.id)
def test_no_pattern_can_take_long(pattern: Pattern) -> None:
    """Proves a bound without a clock: a match is short, so the work at each place is bounded.

    No repetition lacks an upper bound, and none is nested deeper than a word in a row of words.
    """
    parser: Any = importlib.import_module("re._parser")
    for regex in filter(None, (pattern.regex, pattern.joined)):
        tree = parser.parse(regex.pattern)
        assert tree.getwidth()[1] <= 500
        assert _depth(tree) <= 2


def _depth(tree: Any) -> int:
    """Return how deep variable repetitions are nested."""
    deepest = 0
    for operator, argument in tree:
        name = str(operator)
        if name in {"MAX_REPEAT", "MIN_REPEAT"}:
            low, high, inner = argument
            deepest = max(deepest, _depth(inner) + (high > max(low, 1)))
        elif name == "SUBPATTERN":
            deepest = max(deepest, _depth(argument[-1]))
        elif name == "BRANCH":
            deepest = max(deepest, *(_depth(branch) for branch in argument[1]))
        elif name.startswith("ASSERT"):
            deepest = max(deepest, _depth(argument[1]))
    return deepest
