"""Whether a request may reach the model, and in which words.

A pure function of the request. It does not make injection impossible: the prompt keeps what a
stranger wrote apart from our rules, and the output is checked as well.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from jiraiya_events.domain.codes import ErrorCode
from jiraiya_events.domain.request import StoryRequested
from jiraiya_events.generation.safety import scoring
from jiraiya_events.generation.safety.fields import Texts, visible_texts, with_texts
from jiraiya_events.generation.sanitize import one_line

# Stands between two fields: white space to the patterns, and in no visible text.
_BETWEEN: Final = "\x1e"
# Says what to do and not what was found, which would only help to get round it.
_NOT_A_WISH: Final = (
    "This request could not be accepted. Please describe the story you would like in other words."
)
_NOTHING_TO_READ: Final = "The keywords hold no readable text. Please name what the story is about."


@dataclass(frozen=True, slots=True)
class Refused:
    """A request that must not reach a model; `patterns` are for the operator's log alone."""

    message: str
    patterns: tuple[str, ...] = ()
    code: ErrorCode = ErrorCode.PROMPT_REJECTED


def check_request(
    request: StoryRequested, left_out: Callable[[tuple[str, ...]], None] | None = None
) -> Refused | StoryRequested:
    """Return the request as the model may see it, or why it must not.

    The copy has each text on one line, normalised, without invisible characters and no longer
    than its field may be; sentences that are suspicious and not enough to refuse are left out of
    it, and `left_out` is told of the patterns they hold. The same object comes back when nothing
    had to be changed.
    """
    texts = visible_texts(request)
    # A language tag may be long and hold words; it is passed on as it is, or not at all.
    tag = request.language.replace("-", _BETWEEN)
    found = doubts = _score(texts, tag)
    if scoring.DEFUSE_AT <= sum(found.values()) < scoring.REFUSE_AT:
        texts = {name: [scoring.defused(text) for text in field] for name, field in texts.items()}
        # What is in pieces or in disguise cannot be left out, and what is left may be worse.
        found = _score(texts, tag)
    if sum(found.values()) >= scoring.DEFUSE_AT:
        return Refused(_NOT_A_WISH, tuple(found))
    lines = {name: [one_line(text) for text in field] for name, field in texts.items()}
    checked = with_texts(request, lines)
    if not checked.keywords:
        return Refused(_NOT_A_WISH if doubts else _NOTHING_TO_READ, tuple(doubts))
    if left_out is not None and found is not doubts:
        left_out(tuple(doubts))
    return checked


def _score(texts: Texts, tag: str) -> dict[str, int]:
    written = (text for field in texts.values() for text in field)
    return scoring.score(_BETWEEN.join((*written, tag)))
