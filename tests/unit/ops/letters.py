"""Dead letters in memory: the port `DeadLetterLog`, with a rival who may come in at any commit."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from jiraiya_events.contract.letters import DeadLetter
from jiraiya_events.contract.marks import Mark
from jiraiya_events.contract.record import WireHeaders
from jiraiya_events.contract.replays import Replay
from jiraiya_events.ops.dead_letters.ports import AnotherOperator, Handled, Marks, TooLarge
from jiraiya_events.ops.dead_letters.selection import Span

PAGE = 3
REQUESTED = "story.requested"
DLQ = "story.requested.dlq"

Letters = dict[int, list[DeadLetter]]


def letter(  # noqa: PLR0913 - a header each
    partition: int = 0,
    offset: int = 0,
    *,
    origin: tuple[int, int] | None = (0, 0),
    code: str = "internal",
    key: bytes | None = b"u-1",
    value: bytes | None = b'{"request_id": "r", "user_id": "u-1", "keywords": ["a"]}',
    replays: int = 0,
    failed_at: str = "2026-01-31T12:00:00.000Z",
    topic: str = REQUESTED,
    more: WireHeaders = (),
) -> DeadLetter:
    """Return a dead letter; without an `origin` it is a record of somebody else's."""
    story = {"error-code": code, "replay-count": str(replays), "failed-at": failed_at}
    if origin is not None:
        story |= {"topic": topic, "partition": str(origin[0]), "offset": str(origin[1])}
    headers = [("x-dlq-" + name, text.encode()) for name, text in story.items()]
    return DeadLetter(DLQ, partition, offset, 1_700_000_000_000, key, value, [*headers, *more])


class MemoryDeadLetters:
    """One log many operators open; `published` and `marked` are what committed."""

    def __init__(self, letters: Letters, partitions: int = 3) -> None:
        self.letters = letters
        self.partitions = frozenset(range(partitions))
        self.published: list[Replay] = []
        self.marked: dict[tuple[int, int], Mark] = {}
        self.epochs: dict[int, int] = dict.fromkeys(letters, 0)
        self.commits = 0
        self.too_large: Callable[[DeadLetter], bool] = lambda _: False
        self.before_commit: Callable[[int], None] = lambda _: None
        self.after_commit: Callable[[int], None] = lambda _: None
        self.during_commit: Callable[[], Awaitable[None]] | None = None

    async def spans(self) -> Mapping[int, Span]:
        return {
            partition: Span(letters[0].offset, letters[-1].offset + 1) if letters else Span(0, 0)
            for partition, letters in self.letters.items()
        }

    async def marks(self) -> Marks:
        return self.marked

    async def partitions_of(self, topic: str) -> frozenset[int]:
        return self.partitions if topic == REQUESTED else frozenset()

    async def read(self, partition: int, span: Span) -> AsyncGenerator[Sequence[DeadLetter], None]:
        inside = [one for one in self.letters[partition] if span.start <= one.offset < span.end]
        for begin in range(0, len(inside), PAGE):
            yield inside[begin : begin + PAGE]

    @asynccontextmanager
    async def take_over(self, partition: int) -> AsyncIterator["MemoryTakeover"]:
        takeover = MemoryTakeover(self, partition)
        await takeover.renew()
        yield takeover


class MemoryTakeover:
    """One epoch of one operator."""

    def __init__(self, log: MemoryDeadLetters, partition: int) -> None:
        self._log = log
        self._partition = partition
        self._epoch = 0
        self._failed = False
        self.marks: dict[tuple[int, int], Mark] = {}

    async def renew(self) -> None:
        self._log.epochs[self._partition] += 1
        self._epoch = self._log.epochs[self._partition]
        self._failed = False
        self.marks = dict(self._log.marked)

    async def commit(self, batch: Sequence[Handled]) -> None:
        log = self._log
        log.before_commit(self._partition)
        if log.during_commit is not None:
            await log.during_commit()
        assert not self._failed, "a failed takeover must be renewed first"
        if log.epochs[self._partition] != self._epoch:
            raise AnotherOperator(self._partition)
        if any(log.too_large(one.letter) for one in batch):
            self._failed = True
            raise TooLarge
        log.commits += 1
        for one in batch:
            log.marked[one.letter.partition, one.letter.offset] = one.mark
            if one.replay is not None:
                log.published.append(one.replay)
        log.after_commit(self._partition)
