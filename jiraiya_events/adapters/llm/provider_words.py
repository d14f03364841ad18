"""What a provider says of a call it did not take, made fit for logs and operators.

Providers repeat what they were sent: keys, prompts, and of a story what they had written so far.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

LONGEST: Final = 200
PIECE: Final = 12
"""So many characters in a row that also stand in what was sent are no coincidence."""

_READ: Final = 4_000
_COMPARED: Final = 400
_LONGEST_CODE: Final = 64
# A key of fewer characters is none, but what is written where an endpoint needs none.
_SHORTEST_KEY: Final = 6
# What looks like a key; the keys of other providers are long words without a mark of their own.
_KEY: Final = re.compile(r"(?i)\b(sk|pk|key|bearer)[-_ ][\w*.-]{4,}|\w[\w*]{23,}")
_CODE: Final = re.compile(r"[\w.:/-]+", re.ASCII)


def words_of(body: object) -> str:
    """Return the words of an error's body: OpenAI's `message`, FastAPI's `detail`, or a text.

    Of a list of `detail` each `loc` and `msg` is read, and never its `input`, which is ours.
    """
    return "; ".join(_said(body, depth=4))[:_READ]


def fit_for_logs(words: str, private: Iterable[str] = (), key: str = "") -> str:
    """Return at most `LONGEST` characters in one line, without `key` and what looks like one.

    Every piece of `PIECE` or more characters that also stands in one of the `private` texts, as
    it is or escaped as in JSON, is cut.
    """
    words = words.replace(key, "***") if len(key) >= _SHORTEST_KEY else words
    line = _KEY.sub("***", " ".join(words.split()))[:_COMPARED]
    hidden = [form for text in private for form in _forms(text)]
    return _without(line, hidden)[:LONGEST] if line else ""


def code_of(code: object) -> str | None:
    """Return a provider's code when it is one: a short word."""
    text = str(code) if isinstance(code, str | int) else ""
    return text if len(text) <= _LONGEST_CODE and _CODE.fullmatch(text) else None


def _said(body: object, depth: int) -> Iterator[str]:
    if isinstance(body, str):
        # A page for browsers says nothing an operator could use.
        yield from () if body.lstrip().startswith("<") else (body,)
    elif isinstance(body, list) and depth:
        for part in body[:8]:
            yield from _said(part, depth - 1)
    elif isinstance(body, dict) and depth:
        yield from _said_by_an_object(body, depth - 1)


def _said_by_an_object(body: dict[Any, Any], depth: int) -> Iterator[str]:
    if isinstance(body.get("msg"), str):
        place = body.get("loc")
        steps = place if isinstance(place, list | tuple) else ()
        yield ".".join(map(str, steps)) + f": {body['msg']}"
        return
    for key in ("message", "detail", "error"):
        if body.get(key):
            yield from _said(body[key], depth)
            return


def _forms(text: str) -> Iterator[str]:
    yield " ".join(text.split())
    yield json.dumps(text)[1:-1]


def _without(line: str, hidden: list[str]) -> str:
    """Cut the pieces; a piece is longer than `PIECE` where all its beginnings are pieces too."""
    kept = []
    at = shown_to = 0
    while at + PIECE <= len(line):
        piece = line[at : at + PIECE]
        if not any(piece in text for text in hidden):
            at += 1
            continue
        kept.append(line[shown_to:at])
        at += PIECE
        while at < len(line) and any(line[at - PIECE + 1 : at + 1] in text for text in hidden):
            at += 1
        shown_to = at
    return "…".join([*kept, line[shown_to:]])
