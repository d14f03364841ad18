"""Which dead letters cannot be replayed, and why."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from jiraiya_events.contract.letters import DeadLetter


class Stays(StrEnum):
    """Why a dead letter stays where it is."""

    TRUNCATED = "truncated"
    CAP = "cap"
    NO_ORIGIN = "no_origin"
    OTHER_TOPIC = "other_topic"
    NO_PARTITION = "no_partition"
    TOO_LARGE = "too_large"


WORDS: Final[Mapping[Stays, str]] = MappingProxyType(
    {
        Stays.TRUNCATED: "its body was too large to keep: ask its sender to send it anew",
        Stays.CAP: "it was replayed as often as JIRAIYA_ENGINE__REPLAY_CAP allows: find its "
        "cause, then discard it or raise the cap",
        Stays.NO_ORIGIN: "it does not say where it came from: this service did not write it",
        Stays.OTHER_TOPIC: "it came from a topic that is not JIRAIYA_TOPICS__REQUESTED: replay it "
        "with the settings of the service that reads that topic",
        Stays.NO_PARTITION: "the partition it came from no longer exists: ask its sender to send "
        "it anew, or publish it by hand",
        Stays.TOO_LARGE: "with the headers of a replay it is too large for its topic: raise its "
        "max.message.bytes by 1 KiB",
    }
)
"""For people: the reason and the next step."""


@dataclass(frozen=True, slots=True)
class ReplayRules:
    """`topic` is where requests go now, `partitions` those it has, `cap` the most replays."""

    topic: str
    partitions: AbstractSet[int]
    cap: int

    def stays(self, letter: DeadLetter) -> Stays | None:
        """Return why this dead letter cannot be replayed; None when it can."""
        origin = letter.origin
        if origin is None:
            return Stays.NO_ORIGIN
        if letter.truncated:
            return Stays.TRUNCATED
        if origin.topic != self.topic:
            return Stays.OTHER_TOPIC
        if origin.partition not in self.partitions:
            return Stays.NO_PARTITION
        return Stays.CAP if letter.replays >= self.cap else None
