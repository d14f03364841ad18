"""The story's text out of an answer that is still being written.

Reads as `answer.read_answer` does, but piece by piece: a JSON object with a `content`, or text
whose first line is the title, either of them in a Markdown fence. What `ContentDeltas` returns,
joined, is the content of the finished answer, but for white space at its ends. Only as much is
held back as later pieces may change: half an escape, half a surrogate pair, white space, a fence.
Every piece is looked at once, so the work is linear in the length of the answer.
"""

import json
import re
from typing import Final

from jiraiya_events.generation.prompt import AnswerForm

_FENCE: Final = re.compile(r"```[a-zA-Z]*\s*")
# What may turn out to be the closing fence.
_FENCE_TO_BE: Final = re.compile(r"\s*`{1,3}\s*\Z")
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_OTHER: Final = re.compile(r'[^"{}\[\]:,]*[{}\[\]:,]?')
# As much of a JSON string as can be decoded whatever follows: no half of an escape, and no high
# surrogate whose low one may still come. It ends before the closing quote.
_DECODABLE: Final = re.compile(
    r"""(?: [^"\\]+
          | \\[^u]
          | \\u(?![dD][89abAB])[0-9a-fA-F]{4}
          | \\u[dD][89abAB][0-9a-fA-F]{2}
            (?: \\u[dD][c-fC-F][0-9a-fA-F]{2} | (?= [^\\] | \\[^u] | \\u(?:[^dD]|[dD][^c-fC-F]) ) )
        )*""",
    re.VERBOSE,
)


class ContentDeltas:
    """Takes the pieces of one answer in order; returns what each adds to the story's content."""

    def __init__(self, form: AnswerForm) -> None:
        self._form = form
        self._held = ""
        self._reader: _JsonContent | _TextContent | None = None
        self._begun = False

    def feed(self, piece: str) -> str:
        """Return the next part of the content, in characters UTF-8 can carry; often nothing."""
        if self._reader is None:
            piece = self._held + piece
            self._reader = self._held_reader(piece)
            if self._reader is None:
                return ""
            piece, self._held = self._held, ""
        text = self._held + self._reader.feed(piece)
        if not self._begun:
            text = text.lstrip()
        told = text.rstrip()
        self._held = text[len(told) :]
        self._begun = self._begun or bool(told)
        return told if told.isascii() else told.encode("utf-8", "replace").decode("utf-8")

    def _held_reader(self, text: str) -> "_JsonContent | _TextContent | None":
        """Return the reader for an answer that begins like `text`; hold what it has to read."""
        text = text.lstrip().removeprefix("\ufeff")
        fence = _FENCE.match(text)
        self._held = text[fence.end() :] if fence else text
        if not self._held or "```".startswith(self._held):
            self._held = text
            return None
        is_object = self._held.startswith("{")
        if is_object or self._form is AnswerForm.JSON:
            return _JsonContent(over=not is_object)
        return _TextContent(fenced=fence is not None)


class _TextContent:
    """Everything after the first line."""

    def __init__(self, *, fenced: bool) -> None:
        self._fenced = fenced
        self._in_title = True
        self._held = ""

    def feed(self, piece: str) -> str:
        if self._in_title:
            _, newline, piece = piece.partition("\n")
            self._in_title = not newline
        if not self._fenced:
            return piece
        text = self._held + piece
        closing = _FENCE_TO_BE.search(text)
        self._held = text[closing.start() :] if closing else ""
        return text[: closing.start()] if closing else text


class _JsonContent:
    """The string that is the `content` of the outermost object."""

    def __init__(self, *, over: bool) -> None:
        self._held = ""
        self._depth = 0
        self._key: str | None = None
        self._at_value = False
        self._inside = False
        self._over = over

    def feed(self, piece: str) -> str:
        if self._over:
            return ""
        self._held += piece
        if not self._inside:
            self._seek()
        return self._decoded() if self._inside else ""

    def _seek(self) -> None:
        """Read tokens until the content's opening quote, or as far as they are complete."""
        text, at = self._held, 0
        while at < len(text) and not self._inside:
            if text[at] != '"':
                token = _OTHER.match(text, at)
                at = token.end() if token else len(text)
                self._note(text[at - 1])
                continue
            if self._depth == 1 and self._at_value and self._key == "content":
                self._inside = True
                at += 1
                continue
            string = _STRING.match(text, at)
            if string is None:
                break
            if self._depth == 1 and not self._at_value:
                self._key = _unescaped(string[0][1:-1])
            at = string.end()
        self._held = text[at:]

    def _note(self, mark: str) -> None:
        if mark in "{[":
            self._depth += 1
        elif mark in "}]":
            self._depth -= 1
        self._at_value = mark == ":" or (self._at_value and mark not in ",{")

    def _decoded(self) -> str:
        """Return what of the string can be decoded for good; hold the rest."""
        ready = _DECODABLE.match(self._held)
        end = ready.end() if ready else 0
        text = _unescaped(self._held[:end])
        self._held = self._held[end:]
        self._over = text is None or self._held.startswith('"')
        return text or ""


def _unescaped(inside: str) -> str | None:
    """Return the text of a JSON string without its quotes; None when it is no such text."""
    if "\\" not in inside:
        return inside
    try:
        text: str = json.loads(f'"{inside}"', strict=False)
    except ValueError:
        return None
    return text
