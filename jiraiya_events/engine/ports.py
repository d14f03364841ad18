"""What the engine needs from the outside: a log to read and write, and a handler."""

from collections.abc import Sequence
from typing import Protocol

from jiraiya_events.engine.records import Committed, Output, Partition
from jiraiya_events.engine.verdicts import Done, Verdict, Work


class Intake(Protocol):
    """The reading side. Every call for a partition that is no longer assigned does nothing."""

    def pause(self, partition: Partition) -> None:
        """Stop delivering this partition's records; a few more may still arrive."""
        ...

    def resume(self, partition: Partition) -> None:
        """Deliver this partition's records again."""
        ...

    def seek(self, partition: Partition, offset: int) -> None:
        """Deliver from `offset` on; what was fetched before is dropped."""
        ...

    async def beginning(self, partition: Partition) -> int:
        """Return the first offset the log still has. Raises `WriterFailed`."""
        ...

    async def position(self, partition: Partition) -> int | None:
        """Return the next offset to be delivered, control records passed over."""
        ...


class Writer(Protocol):
    """One epoch of a partition's transactional writer.

    All calls come from one task, one at a time. After any error but a clean `commit` the
    writer is finished; the engine closes it and opens another.
    """

    async def open(self) -> Committed:
        """Fence every older epoch, end its transaction, then read what is committed.

        Raises `Fenced`, `WriterFailed`.
        """
        ...

    async def commit(self, outputs: Sequence[Output], committed: Committed) -> None:
        """Publish `outputs` in order and store the progress, all or nothing.

        Raises `Fenced`, `OutputsRefused`, `WriterFailed`.
        """
        ...

    async def close(self) -> None:
        """Let go of everything; never raises, may be called twice."""
        ...


class WriterFactory(Protocol):
    """Makes a new, unopened writer for a partition."""

    def __call__(self, partition: Partition) -> Writer:
        """Return a writer that has not touched the log yet."""
        ...


class Handler(Protocol):
    """What is done with a record."""

    async def handle(self, work: Work) -> Verdict:
        """Work on the record; may be cancelled when the service stops.

        Other records run in the same task before and after: a context variable that is set
        here must be reset here.
        """
        ...

    def crashed(self, work: Work, error: Exception) -> Done:
        """Return how a record ends on which `handle` raised, or whose outputs were refused.

        Called for bugs of the handler itself, so it should need as little as possible. A
        `Lethal` error may ask not even to read the value.
        """
        ...
