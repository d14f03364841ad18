"""The output checks of a story that is still being written."""

import unicodedata
from typing import Final

from jiraiya_events.domain.request import Audience
from jiraiya_events.generation.prompt import Prompt
from jiraiya_events.generation.safety.age_bands import Found, broken_by, found_in
from jiraiya_events.generation.safety.leak import leaks

# No phrase of the rules is longer than 500 characters, nor are seven words of a system text.
_READ_AGAIN: Final = 1_000


class Beginning:
    """What is known of one story; each look reads what is new and a little before it.

    Up to seven words of a system text can be said before the eighth shows whose they are.
    """

    def __init__(self, audience: Audience, prompt: Prompt) -> None:
        self._audience = audience
        self._prompt = prompt
        self._found: set[Found] = set()
        self._from = 0

    def passes(self, text: str) -> bool:
        """Tell whether this may be said; it goes on from the text before and ends with a word."""
        new = text[self._from :]
        self._from = _word_start(text, len(text) - _READ_AGAIN)
        if leaks(new, self._prompt.system_texts, self._prompt.canary):
            return False
        self._found |= found_in(new, self._audience)
        return not broken_by(self._found)


def _word_start(text: str, place: int) -> int:
    """Return where the word at this place begins: half a word can be another one."""
    place = max(0, place)
    while place and (text[place - 1].isalnum() or unicodedata.category(text[place - 1])[0] == "M"):
        place -= 1
    return place
