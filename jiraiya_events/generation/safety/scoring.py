"""How much of a text speaks to the model instead of wishing for a story."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from jiraiya_events.generation.safety import folding
from jiraiya_events.generation.safety.decoding import decoded
from jiraiya_events.generation.safety.patterns import load_patterns

REFUSE_AT: Final = 10
"""A request with this score is refused."""

DEFUSE_AT: Final = 6
"""From this score on, what was found is left out of what the model gets."""

# Whoever hides such words knows what they do.
_HIDDEN: Final = 2
_LAYERS: Final = 2
# NFKC has made full-width marks plain: between letters of the far East they end a sentence.
_SENTENCE_END: Final = re.compile(
    r"[.!?\u2026][\"'\u2019\u201d\u00bb)\]]{0,3}(?=\s|\Z|[\u2e80-\uffff])"
    r"|(?<=[\u2e80-\uffff])[!?]|[\u3002\u0964\n]"
)


def score(text: str, layers: int = _LAYERS) -> dict[str, int]:
    """Return the weight of each pattern found in `text`, by the pattern's id.

    What is found only after unfolding look-alikes, gaps or encodings counts twice. The search
    ends as soon as the sum is enough to refuse. `text` is visible text in its own case, and
    `layers` are the encodings within encodings that are opened.
    """
    found: dict[str, int] = {}
    for name, weight in _weights(text, layers):
        found[name] = max(weight, found.get(name, 0))
        if sum(found.values()) >= REFUSE_AT:
            break
    return found


def defused(text: str) -> str:
    """Return `text` without the sentences in which the patterns find something as it is written.

    What is left of a sentence without some of its words says something nobody wished for.
    """
    folded = folding.fold(text)
    if len(folded) != len(text):
        return text
    spans = [
        found.span()
        for pattern in load_patterns().found_in(folded)
        for found in pattern.regex.finditer(folded)
    ]
    ends = [end.end() for end in _SENTENCE_END.finditer(text)]
    return "".join(
        text[start:end]
        for start, end in pairwise([0, *ends, len(text)])
        if not any(first < end and start < last for first, last in spans)
    )


def _weights(text: str, layers: int) -> Iterator[tuple[str, int]]:
    patterns = load_patterns()
    plain = folding.fold(text)
    seen: set[str] = set()
    for pattern in patterns.found_in(plain):
        seen.add(pattern.id)
        yield pattern.id, pattern.weight
    bare = folding.without_marks(plain)
    if bare != plain:
        for pattern in patterns.found_in(bare):
            seen.add(pattern.id)
            yield pattern.id, pattern.weight
    for view in _disguises(bare):
        for pattern in patterns.found_in(view):
            if pattern.id not in seen:
                yield pattern.id, pattern.weight * _HIDDEN
    yield from _joined(bare, seen)
    if layers:
        for hidden in decoded(text):
            yield from ((name, weight * _HIDDEN) for name, weight in _weights(hidden, layers - 1))


def _disguises(bare: str) -> Iterator[str]:
    latin = folding.latinised(bare)
    if latin != bare:
        yield latin
        yield latin[::-1]
    plain = folding.unleeted(latin)
    if plain != latin:
        yield plain


def _joined(bare: str, seen: set[str]) -> Iterator[tuple[str, int]]:
    for text in dict.fromkeys((bare, folding.unleeted(folding.latinised(bare)))):
        for pattern in load_patterns().found_joined_in(text):
            if pattern.id not in seen:
                yield pattern.id, pattern.weight * _HIDDEN
