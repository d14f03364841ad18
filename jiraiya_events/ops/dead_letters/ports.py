"""What handling dead letters needs of a log that has transactions."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from jiraiya_events.contract.letters import DeadLetter
from jiraiya_events.contract.marks import Mark
from jiraiya_events.contract.replays import Replay
from jiraiya_events.domain.errors import ServiceError
from jiraiya_events.ops.dead_letters.selection import Span

Marks = Mapping[tuple[int, int], Mark]
"""By partition and offset of the dead letter."""


class AnotherOperator(ServiceError):
    """Somebody else has taken over a partition of the dead letters since."""

    def __init__(self, partition: int) -> None:
        super().__init__(
            f"another operator is replaying partition {partition}; nothing was done twice: let "
            "them finish, then run this again for what is left"
        )
        self.partition = partition


class TooLarge(ServiceError):
    """The log takes none of this batch: some record in it is too large for its topic."""


@dataclass(frozen=True, slots=True)
class Handled:
    """A dead letter, its mark, and what is published in its place; nothing when discarded."""

    letter: DeadLetter
    mark: Mark
    replay: Replay | None = None


class Takeover(Protocol):
    """One partition of the dead letters in the hands of one operator, until another comes."""

    @property
    def marks(self) -> Marks:
        """Every mark there was once nobody else could write one for this partition."""
        ...

    async def commit(self, batch: Sequence[Handled]) -> None:
        """Publish replays and marks in one transaction: all of them or none.

        Raises `AnotherOperator`, `TooLarge` (then `renew` before the next commit) and
        `BrokerUnavailable` (whether it committed is for the next takeover's marks to tell).
        """
        ...

    async def renew(self) -> None:
        """Take the partition over once more and read the marks anew."""
        ...


class DeadLetterLog(Protocol):
    """The dead letters' topic, their marks, and the topic they came from.

    All methods raise `BrokerUnavailable`.
    """

    async def spans(self) -> Mapping[int, Span]:
        """Return for each partition what is there now and committed."""
        ...

    async def marks(self) -> Marks:
        """Return the marks that can be read at once; of the last moments some may be missing."""
        ...

    async def partitions_of(self, topic: str) -> frozenset[int]:
        """Return the partitions of a topic; none when it does not exist."""
        ...

    def read(self, partition: int, span: Span) -> AsyncGenerator[Sequence[DeadLetter], None]:
        """Yield the committed dead letters of `span` in order, page by page."""
        ...

    def take_over(self, partition: int) -> AbstractAsyncContextManager[Takeover]:
        """Fence whoever else handles this partition, and only then read the marks."""
        ...
