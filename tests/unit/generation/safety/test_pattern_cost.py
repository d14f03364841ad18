"""No text can keep a pattern busy: neighbouring repetitions share no sign, and a clock agrees."""

import importlib
import subprocess
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from jiraiya_events.generation.safety.age_bands import age_bands
from jiraiya_events.generation.safety.cues import Pattern
from jiraiya_events.generation.safety.patterns import load_patterns

PARSER: Any = importlib.import_module("re._parser")
PHRASES = {phrase.id: phrase for band in age_bands().values() for phrase in band.phrases.all}
ALL = [*load_patterns().all, *PHRASES.values()]
SIGNS = "".join(map(chr, range(32, 127))) + "\n\x1eéжま。"
SECONDS = 20
LIMIT = f"import resource; resource.setrlimit(resource.RLIMIT_CPU, ({SECONDS}, {SECONDS}))"
# Every pattern on its own beginning followed by what fills words, gaps, or both.
WORST = """
import re
from jiraiya_events.generation.safety.age_bands import age_bands
from jiraiya_events.generation.safety.literals import literals_of
from jiraiya_events.generation.safety.patterns import load_patterns
phrases = [phrase for band in age_bands().values() for phrase in band.phrases.all]
for pattern in (*load_patterns().all, *phrases):
    for regex in filter(None, (pattern.regex, pattern.joined)):
        words = re.findall(r"[^\\W\\d_]{3,12}", regex.pattern)
        for cue in {*sorted(literals_of(regex))[:2], *words[:3], "please reverse this: "}:
            for fill in ("_", "a", " ", ".", "_a", "a ", cue + " ", cue + "_"):
                regex.search((cue + fill * 490)[:490])
"""


@pytest.mark.parametrize("pattern", ALL, ids=lambda pattern: pattern.id)
def test_neighbouring_repetitions_have_no_sign_in_common(pattern: Pattern) -> None:
    """Proves that a row of signs can be divided between them in one way only."""
    for regex in filter(None, (pattern.regex, pattern.joined)):
        for first, second in neighbours(PARSER.parse(regex.pattern)):
            assert not first & second, sorted(first & second)[:5]


def test_the_rule_finds_the_mistake_it_is_there_for() -> None:
    """Proves it on words and gaps that both take an underscore."""
    pairs = list(neighbours(PARSER.parse(r"(?:\w{1,24}[\W_]{1,6}){0,3}x")))
    assert any(first & second for first, second in pairs)


def test_the_worst_texts_take_seconds_for_all_patterns_together() -> None:
    """Proves what the structure promises: a bad pattern takes minutes of CPU for one alone."""
    subprocess.run([sys.executable, "-c", LIMIT + WORST], check=True)


def neighbours(tree: Iterable[Any]) -> Iterator[tuple[set[str], set[str]]]:
    """Yield the signs of each two repetitions that follow one another, within rows as well."""
    before: set[str] = set()
    for operator, argument in tree:
        name = str(operator)
        after: set[str] = set()
        if name in {"MAX_REPEAT", "MIN_REPEAT"} and argument[1] > max(argument[0], 1):
            after = signs(argument[2])
            # A row of words: its end meets its own beginning.
            inner = list(argument[2])
            yield from neighbours([*inner, *inner] if len(inner) > 1 else inner)
        elif name in {"MAX_REPEAT", "MIN_REPEAT"}:
            yield from neighbours(argument[2])
        elif name == "SUBPATTERN":
            yield from neighbours(argument[-1])
        elif name == "BRANCH":
            for branch in argument[1]:
                yield from neighbours(branch)
        if before and after:
            yield before, after
        before = after


def signs(tree: Any) -> set[str]:
    """Return the signs that a repetition of one sign takes; nothing for longer ones."""
    parts = list(tree)
    while len(parts) == 1 and str(parts[0][0]) == "SUBPATTERN":
        parts = list(parts[0][1][-1])
    if len(parts) != 1:
        return set()
    operator, argument = parts[0]
    if str(operator) == "ANY":
        return set(SIGNS)
    if str(operator) == "LITERAL":
        return {chr(argument)}
    if str(operator) != "IN":
        return set()
    negated = any(str(kind) == "NEGATE" for kind, _ in argument)
    return {sign for sign in SIGNS if any(_takes(one, sign) for one in argument) != negated}


def _takes(one: Any, sign: str) -> bool:
    kind, value = str(one[0]), one[1]
    if kind == "LITERAL":
        return bool(ord(sign) == value)
    if kind == "RANGE":
        return bool(value[0] <= ord(sign) <= value[1])
    word = sign.isalnum() or sign == "_"
    kinds = {
        "CATEGORY_WORD": word,
        "CATEGORY_NOT_WORD": not word,
        "CATEGORY_SPACE": sign.isspace(),
        "CATEGORY_NOT_SPACE": not sign.isspace(),
        "CATEGORY_DIGIT": sign.isdigit(),
    }
    return kinds.get(str(value), False)
