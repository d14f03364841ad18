"""What a handler can say of a record, and what it may remember until it is asked again."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from jiraiya_events.engine.records import Output, Record


@dataclass(slots=True)
class Work:
    """One accepted record on its way; `memory` belongs to the handler, the rest to the engine.

    `tries` is the handler's to count and the engine's to keep: it travels in the commit's
    metadata, so that a new owner goes on counting where the last one stopped. Between two turns it
    may have grown by the tries of an owner in between.
    """

    record: Record
    accepted_at: float
    tries: int = 0
    memory: object = None


@dataclass(slots=True)
class Done:
    """The record is finished; `outputs` and its progress commit together.

    `label` is handed to the observer when they have.
    """

    outputs: Sequence[Output]
    label: object = None


@dataclass(frozen=True, slots=True)
class Retry:
    """Ask again in `after_s` seconds; the key's later records wait behind."""

    after_s: float


@dataclass(frozen=True, slots=True)
class Park:
    """Ask again when `Engine.unpark(at)` says so, in `until_s` seconds at the latest.

    Also when it said so while this turn was under way.
    """

    until_s: float
    at: Hashable = None


Verdict = Done | Retry | Park
