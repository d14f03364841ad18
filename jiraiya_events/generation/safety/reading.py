"""A story as its readers see it: what the output checks look at, never what is published."""

from typing import Final

import regex

from jiraiya_events.generation.safety.folding import latinised
from jiraiya_events.generation.sanitize import visible

_WORD: Final = regex.compile(r"[^\W_]+")
# Where a word goes from Latin letters to others: in one script no letter stands for another's.
_MIXED: Final = regex.compile(
    r"(?<=[a-z])[^\W\d_\p{Latin}]|[^\W\d_\p{Latin}](?=[a-z])", regex.VERSION1
)


def as_read(text: str) -> str:
    """Return `text` in lower case and NFKC, without signs nobody sees and without underscores.

    Look-alikes in a word that has Latin letters as well are those letters.
    """
    low = text.lower().replace("_", " ")
    if low.isascii():
        return low
    low = visible(low).lower()
    if _MIXED.search(low) is None:
        return low
    plain: str = _WORD.sub(_in_one_script, low)
    return plain


def _in_one_script(word: regex.Match[str]) -> str:
    return latinised(word[0]) if _MIXED.search(word[0]) else word[0]
