"""Replaying and discarding: each dead letter once, whoever is killed or comes in between.

Per partition of the dead letters, in this order:

1. Take it over. That ends the transaction of whoever handled it before, one way or the other,
   and none of theirs can commit any more.
2. Read the marks to their end. What is marked now is done; what is not never will be by others.
3. Commit batch by batch what is published and its marks, each batch in one transaction.

Killed anywhere, the next run finds in step 2 exactly what committed. Whoever is taken over finds
out at the next commit, which then does not happen. Whoever is interrupted in a commit waits for its
end, tells what became of it, and only then stops.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from jiraiya_events.contract.letters import DeadLetter
from jiraiya_events.contract.marks import Action, Mark
from jiraiya_events.contract.replays import Replay, replay_of
from jiraiya_events.domain.clock import Clock
from jiraiya_events.ops.dead_letters.pace import BATCH_BYTES, Pace
from jiraiya_events.ops.dead_letters.ports import DeadLetterLog, Handled, Takeover, TooLarge
from jiraiya_events.ops.dead_letters.selection import Selection, Span
from jiraiya_events.ops.dead_letters.staying import ReplayRules, Stays


class Fate(StrEnum):
    """What became of a dead letter in this run."""

    REPLAYED = "replayed"
    DISCARDED = "discarded"
    DONE_BEFORE = "done_before"
    STAYS = "stays"


@dataclass(frozen=True, slots=True)
class Result:
    """One dead letter and its fate, told after it committed; `mark` is that of `DONE_BEFORE`."""

    letter: DeadLetter
    fate: Fate
    stays: Stays | None = None
    mark: Mark | None = None

    @property
    def counts(self) -> bool:
        """Whether this run did something for it."""
        return self.fate in {Fate.REPLAYED, Fate.DISCARDED}


Decide = Callable[[DeadLetter, float], Handled | Stays]
"""What to do with a dead letter, at this time in seconds since the Unix epoch."""


def replaying(rules: ReplayRules, make: Callable[[DeadLetter], Replay] | None = None) -> Decide:
    """Return the decision of a replay; `make` makes an edited one."""

    def decide(letter: DeadLetter, now: float) -> Handled | Stays:
        origin = letter.origin
        stays = rules.stays(letter)
        if stays is not None or origin is None:
            return stays or Stays.NO_ORIGIN
        replay = replay_of(letter, origin) if make is None else make(letter)
        return Handled(letter, Mark(Action.REPLAYED, now), replay)

    return decide


def discarding(letter: DeadLetter, now: float) -> Handled:
    """Decide to discard: a mark, and nothing published."""
    return Handled(letter, Mark(Action.DISCARDED, now))


@dataclass(frozen=True, slots=True)
class Handling:
    """One run over what a survey found."""

    log: DeadLetterLog
    selection: Selection
    decide: Decide
    pace: Pace
    clock: Clock

    async def run(self, spans: Mapping[int, Span]) -> AsyncGenerator[Result, None]:
        """Handle what is selected within `spans`; yield every fate once it is final.

        One partition is held at a time: of two operators at least one always comes through.
        Raises `AnotherOperator` and `BrokerUnavailable`; running it again goes on from there.
        """
        beat = _Beat(self.pace)
        for partition, span in sorted(spans.items()):
            async with (
                self.log.take_over(partition) as takeover,
                aclosing(self._partition(partition, span, takeover, beat)) as results,
            ):
                async for result in results:
                    yield result

    async def _partition(
        self, partition: int, span: Span, takeover: Takeover, beat: "_Beat"
    ) -> AsyncGenerator[Result, None]:
        batch: list[Handled] = []
        async with aclosing(self.log.read(partition, span)) as pages:
            async for page in pages:
                for letter in page:
                    if not self.selection.takes(letter):
                        continue
                    decided = self._decided(letter, takeover)
                    if isinstance(decided, Result):
                        yield decided
                        continue
                    batch.append(decided)
                    if self._is_full(batch):
                        async for result in beat.commit(takeover, batch):
                            yield result
                        batch = []
        if batch:
            async for result in beat.commit(takeover, batch):
                yield result

    def _is_full(self, batch: Sequence[Handled]) -> bool:
        held = sum(len(one.letter.value or b"") for one in batch)
        return len(batch) >= self.pace.batch or held >= BATCH_BYTES

    def _decided(self, letter: DeadLetter, takeover: Takeover) -> Handled | Result:
        mark = takeover.marks.get((letter.partition, letter.offset))
        if mark is not None:
            return Result(letter, Fate.DONE_BEFORE, mark=mark)
        decided = self.decide(letter, self.clock.now())
        return Result(letter, Fate.STAYS, decided) if isinstance(decided, Stays) else decided


class _Beat:
    """Commits batch after batch, no faster than the pace allows."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._ended_at = float("-inf")
        self._committed = 0

    async def commit(
        self, takeover: Takeover, batch: Sequence[Handled]
    ) -> AsyncGenerator[Result, None]:
        """Wait for the batch's turn, commit it, and yield what became of each."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(self._pace.wait_s(self._committed, loop.time() - self._ended_at))
        self._committed = 0
        async with aclosing(_commit(takeover, batch)) as results:
            async for result in results:
                self._committed += result.counts
                self._ended_at = loop.time()
                yield result


async def _commit(takeover: Takeover, batch: Sequence[Handled]) -> AsyncGenerator[Result, None]:
    """Commit a batch; one that is too large goes record by record, to find which it is."""
    try:
        interruption = await _to_its_end(takeover.commit(batch))
    except TooLarge:
        await takeover.renew()
        if len(batch) == 1:
            yield Result(batch[0].letter, Fate.STAYS, Stays.TOO_LARGE)
            return
        for one in batch:
            async with aclosing(_alone(takeover, one)) as results:
                async for result in results:
                    yield result
        return
    for one in batch:
        yield Result(one.letter, _fate(one))
    if interruption is not None:
        raise interruption


async def _alone(takeover: Takeover, one: Handled) -> AsyncGenerator[Result, None]:
    mark = takeover.marks.get((one.letter.partition, one.letter.offset))
    if mark is not None:
        yield Result(one.letter, Fate.DONE_BEFORE, mark=mark)
        return
    async with aclosing(_commit(takeover, [one])) as results:
        async for result in results:
            yield result


async def _to_its_end(commit: Coroutine[Any, Any, None]) -> asyncio.CancelledError | None:
    """Wait for a commit, interrupted or not; return the interruption of one that succeeded.

    An interruption is raised at once only where there is nothing to tell: the commit failed.
    """
    committing = asyncio.ensure_future(commit)
    try:
        await asyncio.shield(committing)
    except asyncio.CancelledError as interruption:
        await asyncio.wait([committing])
        if committing.cancelled() or committing.exception() is not None:
            raise
        return interruption
    return None


def _fate(handled: Handled) -> Fate:
    return Fate.DISCARDED if handled.replay is None else Fate.REPLAYED
