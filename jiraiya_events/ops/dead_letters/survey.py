"""Looking through the dead letters, a page at a time, changing nothing."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from jiraiya_events.contract.letters import DeadLetter
from jiraiya_events.contract.marks import Mark
from jiraiya_events.ops.dead_letters.ports import DeadLetterLog
from jiraiya_events.ops.dead_letters.references import Reference, names_of
from jiraiya_events.ops.dead_letters.selection import Selection, Span
from jiraiya_events.ops.dead_letters.staying import ReplayRules, Stays
from jiraiya_events.ops.dead_letters.summary import Summary


@dataclass(frozen=True, slots=True)
class Found:
    """A dead letter that was selected; `stays` says why it could not be replayed."""

    letter: DeadLetter
    mark: Mark | None
    stays: Stays | None


@dataclass(slots=True)
class Survey:
    """What a look found.

    `spans` is where there is something left to do, so that doing it touches nothing that came
    later; `done_before` is what was handled already; `missing` are the references of the
    selection under which nothing was selected, and `left_out` those of them under which there is
    something that the other selectors do not mean. It grows with codes, partitions and what was
    named, never with the letters.
    """

    missing: set[Reference]
    left_out: set[Reference] = field(default_factory=set)
    summary: Summary = field(default_factory=Summary)
    spans: dict[int, Span] = field(default_factory=dict)
    done_before: list[Found] = field(default_factory=list)

    def add(self, found: Found) -> None:
        """Count one in."""
        letter = found.letter
        self.met(letter)
        self.summary.add(letter, found.mark, found.stays)
        if found.mark is None:
            start = self.spans.get(letter.partition, Span(letter.offset, 0)).start
            self.spans[letter.partition] = Span(start, letter.offset + 1)

    def met(self, letter: DeadLetter) -> None:
        """Note that what this dead letter is called names something."""
        self.missing.difference_update(name for name in names_of(letter) if name is not None)

    def leave_out(self, letter: DeadLetter) -> None:
        """Note that this dead letter is there, was named and was not selected."""
        self.left_out.update(name for name in names_of(letter) if name is not None)


Counts = Callable[[Found], bool]
"""Whether a dead letter counts for the limit of the selection."""

Reading = Callable[[int, int], None]
"""Told after each page how many offsets are behind us, and how many there are to read."""


def all_count(_: Found) -> bool:
    """Count all, as a list does."""
    return True


def open_ones_count(found: Found) -> bool:
    """Count what can be discarded."""
    return found.mark is None


def replayable_ones_count(found: Found) -> bool:
    """Count what can be replayed: those that stay would use up the limit on every run."""
    return found.mark is None and found.stays is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How to look: with those `handled` before or without, what counts, and who is told.

    `left_out` is told of what was named and does not match the other selectors.
    """

    handled: bool
    counts: Counts = all_count
    left_out: Callable[[DeadLetter], None] = lambda _: None
    reading: Reading = lambda _behind, _total: None


async def look(
    log: DeadLetterLog, selection: Selection, rules: ReplayRules, how: Look
) -> AsyncGenerator[Found, None]:
    """Yield what is selected, by partition and offset, up to the end there is now."""
    marks = await log.marks()
    left = selection.limit
    spans = selection.spans(await log.spans())
    async with aclosing(_letters(log, spans, how.reading)) as letters:
        async for letter in letters:
            mark = marks.get((letter.partition, letter.offset))
            if mark is not None and not how.handled:
                continue
            if not selection.takes(letter):
                if selection.names(letter):
                    how.left_out(letter)
                continue
            found = Found(letter, mark, rules.stays(letter))
            yield found
            if left is not None and how.counts(found):
                left -= 1
            if left == 0:
                return


async def survey(log: DeadLetterLog, selection: Selection, rules: ReplayRules, how: Look) -> Survey:
    """Add up what is selected; only what is `handled` and was asked for is kept whole."""
    whole = Survey(set(selection.references))
    told = replace(how, left_out=whole.leave_out)
    async with aclosing(look(log, selection, rules, told)) as every:
        async for found in every:
            whole.add(found)
            if found.mark is not None:
                whole.done_before.append(found)
    return whole


async def rules_of(log: DeadLetterLog, topic: str, cap: int) -> ReplayRules:
    """Return what holds for replays now."""
    return ReplayRules(topic, await log.partitions_of(topic), cap)


async def _letters(
    log: DeadLetterLog, spans: Mapping[int, Span], reading: Reading
) -> AsyncGenerator[DeadLetter, None]:
    total = sum(span.end - span.start for span in spans.values())
    behind = 0
    for partition, span in spans.items():
        async with aclosing(log.read(partition, span)) as pages:
            async for page in pages:
                for letter in page:
                    yield letter
                reading(behind + page[-1].offset + 1 - span.start, total)
        behind += span.end - span.start
