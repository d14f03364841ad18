"""The plain text that every match of a regular expression holds.

Read off the tree of Python's own parser, which is not public: the property tests compare what is
read with matches made at random, on each Python we support.
"""

import importlib
import re
from collections.abc import Iterable
from functools import cache
from typing import Any, Final

_PARSER: Final[Any] = importlib.import_module("re._parser")

Cover = frozenset[str]
"""Texts of which every match holds at least one."""


@cache
def literals_of(regex: re.Pattern[str]) -> Cover:
    """Return the texts that are cheapest to look for; raises ValueError when there are none."""
    found = _best(_covers(_PARSER.parse(regex.pattern)))
    if found is None:
        msg = "no plain text is in every match"
        raise ValueError(msg)
    return found


def _covers(tree: Iterable[Any]) -> list[Cover]:
    """Return a cover for each part of a sequence that has one."""
    covers: list[Cover] = []
    run = ""
    for operator, argument in tree:
        name = str(operator)
        if name == "LITERAL":
            run += chr(argument)
            continue
        covers.append(frozenset({run}))
        run = ""
        part = _cover_of(name, argument)
        if part is not None:
            covers.append(part)
    covers.append(frozenset({run}))
    return [cover for cover in covers if "" not in cover]


def _cover_of(name: str, argument: Any) -> Cover | None:  # noqa: ANN401 - the parser's own
    if name == "SUBPATTERN":
        return _best(_covers(argument[-1]))
    if name == "BRANCH":
        branches = [_best(_covers(branch)) for branch in argument[1]]
        known = [branch for branch in branches if branch is not None]
        return frozenset().union(*known) if len(known) == len(branches) else None
    if name == "IN" and all(str(operator) == "LITERAL" for operator, _ in argument):
        return frozenset(chr(number) for _, number in argument)
    if name in {"MAX_REPEAT", "MIN_REPEAT"} and argument[0] > 0:
        return _best(_covers(argument[2]))
    return None


def _best(covers: list[Cover]) -> Cover | None:
    return min(covers, key=_cost, default=None)


def _cost(cover: Cover) -> float:
    """Weigh the looks that are needed, and the searches that short and so common texts lead to."""
    return sum(0.3 + 400 / 4.0 ** _rarity(text) for text in cover)


def _rarity(text: str) -> int:
    signs = sum(not (letter.isascii() and letter.isalnum()) for letter in text)
    return len(text) + 2 * signs - 3 * text.count(" ")
