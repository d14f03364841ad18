"""From what was typed to which dead letters are meant."""
# ruff: noqa: PLC0415 - as in the commands

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from jiraiya_events.cli.exits import Unusable
from jiraiya_events.cli.output import note

if TYPE_CHECKING:
    from jiraiya_events.ops.dead_letters.references import Reference
    from jiraiya_events.ops.dead_letters.selection import Selection

_AGE: Final = re.compile(r"([0-9]{1,9})([smhd])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class Choice:
    """The selectors as they stand on the command line."""

    references: list[str] | None = None
    codes: list[str] | None = None
    since: str | None = None
    until: str | None = None
    keys: list[str] | None = None
    users: list[str] | None = None
    limit: int | None = None
    everything: bool = False

    @property
    def is_open(self) -> bool:
        """Whether nothing was chosen, not even all."""
        filters = (self.references, self.codes, self.keys, self.users)
        bounds = (self.since, self.until, self.limit)
        return not any(filters) and bounds == (None, None, None) and not self.everything

    def selection(self, dlq: str, now: float) -> Selection:
        """Return what is meant; `dlq` is the dead letters' topic. Raises `Unusable`."""
        from jiraiya_events.ops.dead_letters.selection import Selection

        return Selection(
            references=frozenset(reference_of(text, dlq) for text in self.references or ()),
            codes=frozenset(_code(text) for text in self.codes or ()),
            keys=frozenset(os.fsencode(text) for text in self.keys or ()),
            users=frozenset(self.users or ()),
            since=None if self.since is None else _moment(self.since, "--since", now),
            until=None if self.until is None else _moment(self.until, "--until", now),
            limit=self.limit,
        )


def reference_of(text: str, dlq: str) -> Reference:
    """Read a reference; raises `Unusable`."""
    from jiraiya_events.ops.dead_letters.references import read_reference

    reference = read_reference(text, dlq)
    if reference is None:
        msg = (
            f"{text!r} names no dead letter: use partition:offset as `jiraiya dlq list` shows it, "
            "or topic/partition/offset as a story.failed says in dlq_reference"
        )
        raise Unusable(msg)
    return reference


def _code(text: str) -> str:
    from jiraiya_events.contract.letters import UNKNOWN
    from jiraiya_events.domain.codes import ErrorCode

    known = [*(code.value for code in ErrorCode), UNKNOWN]
    if text not in known:
        # A newer release may have written it.
        note(f"--code: this release does not know {text!r}, only {', '.join(known)}")
    return text


def _moment(text: str, option: str, now: float) -> float:
    from jiraiya_events.contract.rfc3339 import parse_rfc3339

    age = _AGE.fullmatch(text)
    if age is not None:
        return now - int(age[1]) * _SECONDS[age[2]]
    moment = parse_rfc3339(text)
    if moment is None:
        msg = f"{option}: {text!r} is no age (90s, 30m, 2h, 7d) and not RFC 3339 with an offset"
        raise Unusable(msg)
    return moment
