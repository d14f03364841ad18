"""What stands before a story in an answer that is still being written.

White space, a byte order mark, thoughts, and a Markdown fence with the name of a language. Each
piece is looked at once: only what may be the beginning of one of these marks is held.
"""

from collections.abc import Callable
from string import ascii_letters

from jiraiya_events.generation.answer import FENCE, THOUGHTS


class Opening:
    """Takes the pieces until the story's first character; `fenced` then tells how it will end."""

    def __init__(self) -> None:
        self.fenced = False
        self._held = ""
        self._mark_passed = False
        self._step: Callable[[str], str] | None = self._begin

    def feed(self, piece: str) -> str:
        """Return what follows the opening; nothing as long as that has not come."""
        text, self._held = self._held + piece, ""
        while text and self._step is not None:
            text = self._step(text)
        return text

    @property
    def over(self) -> bool:
        """Whether the story has begun."""
        return self._step is None

    def _begin(self, text: str) -> str:
        text = text.lstrip()
        if text and not self._mark_passed:
            self._mark_passed = True
            text = text.removeprefix("\ufeff")
        return self._look_for(THOUGHTS[0], text, self._thoughts, self._before_fence)

    def _thoughts(self, text: str) -> str:
        before, closing, rest = text.partition(THOUGHTS[1])
        if closing:
            self._step = self._before_fence
            return rest
        self._held = before[1 - len(THOUGHTS[1]) :]
        return ""

    def _before_fence(self, text: str) -> str:
        return self._look_for(FENCE, text.lstrip(), self._language, None)

    def _language(self, text: str) -> str:
        self.fenced = True
        text = text.lstrip(ascii_letters)
        if text:
            self._step = self._before_story
        return text

    def _before_story(self, text: str) -> str:
        text = text.lstrip()
        if text:
            self._step = None
        return text

    def _look_for(
        self,
        mark: str,
        text: str,
        found: Callable[[str], str],
        other: Callable[[str], str] | None,
    ) -> str:
        if text.startswith(mark):
            self._step = found
            return text[len(mark) :]
        if mark.startswith(text):
            self._held = text
            return ""
        self._step = other
        return text
