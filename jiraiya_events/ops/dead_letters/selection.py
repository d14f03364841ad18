"""Which dead letters are meant."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from jiraiya_events.contract.letters import DeadLetter, Origin
from jiraiya_events.contract.replays import original_envelope
from jiraiya_events.ops.dead_letters.references import Place, Reference, names_of


class Span(NamedTuple):
    """Offsets of one partition, `end` not included."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What a dead letter must match, all of it; an empty set asks for nothing.

    `since` (included) and `until` (not included) are seconds since the Unix epoch and speak of
    the failure. `limit` is for the survey: it counts in the order of reading, by partition, then
    by offset.
    """

    references: frozenset[Reference] = frozenset()
    codes: frozenset[str] = frozenset()
    keys: frozenset[bytes] = frozenset()
    users: frozenset[str] = frozenset()
    since: float | None = None
    until: float | None = None
    limit: int | None = None

    def takes(self, letter: DeadLetter) -> bool:
        """Tell whether the dead letter matches; the cheap questions come first."""
        return (
            (not self.references or self.names(letter))
            and (not self.codes or letter.code in self.codes)
            and (not self.keys or letter.key in self.keys)
            and (self.since is None or letter.failed_at >= self.since)
            and (self.until is None or letter.failed_at < self.until)
            and (not self.users or user_of(letter) in self.users)
        )

    def names(self, letter: DeadLetter) -> bool:
        """Tell whether one of the references means it, whatever else is asked for."""
        return bool(self.references) and any(one in self.references for one in names_of(letter))

    def spans(self, spans: Mapping[int, Span]) -> dict[int, Span]:
        """Return where to look: less than everything only when all references are places."""
        if not self.references or any(isinstance(one, Origin) for one in self.references):
            return {partition: spans[partition] for partition in sorted(spans)}
        found: dict[int, Span] = {}
        for partition in sorted(spans):
            start, end = spans[partition]
            offsets = [
                one.offset
                for one in self.references
                if isinstance(one, Place)
                and one.partition == partition
                and start <= one.offset < end
            ]
            if offsets:
                found[partition] = Span(min(offsets), max(offsets) + 1)
        return found


def user_of(letter: DeadLetter) -> str | None:
    """Return the user the request was for, where its body could be read."""
    origin = letter.origin
    return None if origin is None else original_envelope(letter, origin).user_id
