"""Looking through the dead letters, a page at a time, changing nothing."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

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
    later; `done_before` is what was handled already.
    """

    summary: Summary = field(default_factory=Summary)
    spans: dict[int, Span] = field(default_factory=dict)
    named: set[Reference] = field(default_factory=set)
    done_before: list[Found] = field(default_factory=list)

    def add(self, found: Found) -> None:
        """Count one in."""
        letter = found.letter
        self.summary.add(letter, found.mark, found.stays)
        self.named.update(name for name in names_of(letter) if name is not None)
        if found.mark is None:
            start = self.spans.get(letter.partition, Span(letter.offset, 0)).start
            self.spans[letter.partition] = Span(start, letter.offset + 1)

    def missing(self, selection: Selection) -> list[Reference]:
        """Return the references under which there is nothing."""
        return sorted(selection.references - self.named, key=str)


async def look(
    log: DeadLetterLog, selection: Selection, rules: ReplayRules, *, handled: bool
) -> AsyncGenerator[Found, None]:
    """Yield what is selected, by partition and offset, up to the end there is now.

    Without `handled` those replayed or discarded before are left out.
    """
    marks = await log.marks()
    left = selection.limit
    for partition, span in selection.spans(await log.spans()).items():
        async with aclosing(log.read(partition, span)) as pages:
            async for page in pages:
                for letter in page:
                    mark = marks.get((partition, letter.offset))
                    if (mark is not None and not handled) or not selection.takes(letter):
                        continue
                    yield Found(letter, mark, rules.stays(letter))
                    left = None if left is None else left - 1
                    if left == 0:
                        return


async def survey(
    log: DeadLetterLog, selection: Selection, rules: ReplayRules, *, handled: bool
) -> Survey:
    """Add up what is selected; only what is `handled` and was asked for is kept whole."""
    whole = Survey()
    async with aclosing(look(log, selection, rules, handled=handled)) as every:
        async for found in every:
            whole.add(found)
            if found.mark is not None:
                whole.done_before.append(found)
    return whole


async def rules_of(log: DeadLetterLog, topic: str, cap: int) -> ReplayRules:
    """Return what holds for replays now."""
    return ReplayRules(topic, await log.partitions_of(topic), cap)
