"""A story while it is written, cut into the pieces that `story.progress` carries.

Pure but for one timer. The first whole word goes out at once, what follows at intervals. What was
said is never taken back: the pieces, put together, are the beginning of the story that is
published, or, when a later try or another model wrote that one, of one that was given up.
Everything here is called from the event loop's thread, and nothing awaits.
"""

import asyncio
import re
from collections.abc import Callable
from typing import Final

import structlog

from jiraiya_events.domain.signals import StoryProgress
from jiraiya_events.generation.sanitize import clean_story

log = structlog.get_logger(__name__)

EVERY_S: Final = 0.125
"""Eight a second; with what the end adds no second has more than ten."""

LONGEST_DELTA: Final = 8_192
"""Characters of a piece; with the longest headers a record stays near 64 KiB."""

LONGEST_TEXT: Final = 65_536
"""Characters of a text that is followed: no story that passes the checks is as long."""

_LONGEST_WORD: Final = 80
_WORD_AT_THE_END: Final = re.compile(r"\w+\Z")


class ProgressFeed:
    """The progress of one request that asked for it, over all of its tries.

    `send` takes the pieces in order; it must not block. `fit` is asked before each piece with all
    that would have been said, up to its last whole word: once it says no, nothing follows but the
    final piece. A `withheld` story is said only when it has ended well; the model need not stream.
    """

    def __init__(
        self,
        request_id: str,
        send: Callable[[StoryProgress], None],
        *,
        fit: Callable[[str], bool] | None = None,
        withheld: bool = False,
    ) -> None:
        self.withheld: Final = withheld
        self._request_id = request_id
        self._send = send
        self._fit = fit
        self._written = ""
        self._said = ""
        self._sequence = 0
        self._timer: asyncio.TimerHandle | None = None
        self._silent = False
        self._ended = False

    @property
    def published(self) -> bool:
        """Whether anything was said: no other text can follow on it."""
        return self._sequence > 0

    def begin(self) -> None:
        """Note that a try begins: what an earlier one wrote, and nobody has heard, is forgotten."""
        if not self.published:
            self._written = ""

    def text(self, delta: str) -> None:
        """Take the next piece of what the model writes; never raises."""
        if self._ended or self._silent or self.withheld:
            return
        self._written += delta
        if len(self._written) > LONGEST_TEXT:
            self._silent = True
        elif self._timer is None:
            self._say_more()

    def end(self, story: str | None) -> None:
        """Say the rest of the published `story`, None for a failure, and that it was all.

        A failed request says nothing more: what it still holds may be why it failed. Never raises;
        after the first time it does nothing.
        """
        if self._ended:
            return
        self._ended = True
        if self._timer is not None:
            self._timer.cancel()
        rest = self._rest(story or "")
        cuts = range(0, max(1, len(rest)), LONGEST_DELTA)
        for cut in cuts:
            self._say(rest[cut : cut + LONGEST_DELTA], final=cut == cuts[-1])

    def _say_more(self) -> None:
        self._timer = None
        try:
            delta = self._next_delta()
        except Exception:
            log.exception("our own code failed on a story's progress; the story goes on")
            self._silent = True
            return
        if delta:
            self._say(delta, final=False)
            self._timer = asyncio.get_running_loop().call_later(EVERY_S, self._say_more)

    def _next_delta(self) -> str:
        if self._silent:
            return ""
        # Cleaned as a whole: a space at its end is said once a word follows, as in the story.
        text = _whole_words(clean_story(self._written))
        begin = len(self._said)
        delta = text[begin : begin + LONGEST_DELTA]
        if delta and self._fit is not None and not self._fit(text):
            self._silent = True
            return ""
        return delta

    def _rest(self, story: str) -> str:
        """Return what is left to say of the story; nothing if another one was begun."""
        if self._silent or not story.startswith(self._said):
            return ""
        return story[len(self._said) :]

    def _say(self, delta: str, *, final: bool) -> None:
        progress = StoryProgress(
            request_id=self._request_id, sequence=self._sequence, delta=delta, final=final
        )
        try:
            self._send(progress)
        except Exception:
            log.exception("our own code failed on a story's progress; the story goes on")
            self._silent = True
            return
        self._sequence += 1
        self._said += delta


def _whole_words(text: str) -> str:
    """Leave out a word at the end: what follows may make it another one, fit or unfit."""
    found = _WORD_AT_THE_END.search(text, max(0, len(text) - _LONGEST_WORD))
    return text if found is None else text[: found.start()]
