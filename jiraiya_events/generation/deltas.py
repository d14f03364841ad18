"""The story's text out of an answer that is still being written.

Reads as `answer.read_answer` does, but piece by piece: a JSON object with a `content`, or text
whose first line is the title, either of them in a Markdown fence and behind a model's thoughts.
What `ContentDeltas` returns, joined, is the content of the finished answer, but for white space at
its ends. Only as much is held back as later pieces may change: half an escape, half a surrogate
pair, white space, a fence. Every piece is looked at once, so the work is linear in the length of
the answer, and of a story that is too long to be one only the beginning is read.
"""

from typing import Final

from jiraiya_events.generation.answer import FENCE, LONGEST_CONTENT
from jiraiya_events.generation.delta_json import JsonContent
from jiraiya_events.generation.delta_opening import Opening
from jiraiya_events.generation.prompt import AnswerForm

_TICK: Final = FENCE[0]


class ContentDeltas:
    """Takes the pieces of one answer in order; returns what each adds to the story's content."""

    def __init__(self, form: AnswerForm) -> None:
        self._form = form
        self._opening = Opening()
        self._reader: JsonContent | _TextContent | None = None
        self._spaces: list[str] = []
        self._told = 0

    def feed(self, piece: str) -> str:
        """Return the next part of the content, in characters UTF-8 can carry; often nothing."""
        if self._told >= LONGEST_CONTENT:
            return ""
        if not self._opening.over:
            piece = self._opening.feed(piece)
            self._reader = self._reader_of(piece) if piece else None
        return self._without_ends(self._reader.feed(piece)) if self._reader else ""

    def _reader_of(self, text: str) -> "JsonContent | _TextContent | None":
        """Return the reader for an answer that begins like `text`; None when it is no story."""
        if text.startswith("{"):
            return JsonContent()
        return None if self._form is AnswerForm.JSON else _TextContent(fenced=self._opening.fenced)

    def _without_ends(self, text: str) -> str:
        """Return `text` without white space before the content, and hold what may be behind it."""
        if not self._told:
            text = text.lstrip()
        body = text.rstrip()
        if not body:
            self._spaces.append(text)
            return ""
        told = "".join((*self._spaces, body))[: LONGEST_CONTENT - self._told]
        self._spaces = [text[len(body) :]]
        self._told += len(told)
        return told if told.isascii() else told.encode("utf-8", "replace").decode("utf-8")


class _TextContent:
    """Everything after the first line, but for a closing fence."""

    def __init__(self, *, fenced: bool) -> None:
        self._fenced = fenced
        self._in_title = True
        self._ticks = ""
        self._behind: list[str] = []

    def feed(self, piece: str) -> str:
        if self._in_title:
            _, newline, piece = piece.partition("\n")
            self._in_title = not newline
        return self._before_fence(piece) if self._fenced else piece

    def _before_fence(self, piece: str) -> str:
        """Return what cannot be a part of the closing fence; hold up to three ticks at the end."""
        if self._ticks and not piece.strip():
            self._behind.append(piece)
            return ""
        text = "".join((self._ticks, *self._behind, piece))
        body = text.rstrip()
        ticks = min(len(body) - len(body.rstrip(_TICK)), len(FENCE))
        end = len(body) - ticks
        self._ticks = body[end:]
        self._behind = [text[len(body) :]] if ticks else []
        return text[:end] if ticks else text
