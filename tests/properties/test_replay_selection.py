"""Which dead letters are replayed, and how often, against a model that is a list and a set."""

import asyncio
from contextlib import aclosing, suppress
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from jiraiya_events.contract.letters import DeadLetter, Origin
from jiraiya_events.contract.marks import Action, Mark
from jiraiya_events.ops.dead_letters.handling import Handling, replaying
from jiraiya_events.ops.dead_letters.pace import Pace
from jiraiya_events.ops.dead_letters.ports import AnotherOperator
from jiraiya_events.ops.dead_letters.references import Place
from jiraiya_events.ops.dead_letters.selection import Selection
from jiraiya_events.ops.dead_letters.staying import ReplayRules
from jiraiya_events.ops.dead_letters.survey import Look, look, replayable_ones_count, survey
from jiraiya_events.testing.virtual_time import run_virtual
from tests.unit.ops.letters import REQUESTED, MemoryDeadLetters, letter

RULES = ReplayRules(REQUESTED, frozenset({0, 1}), cap=2)
CODES = ("internal", "provider_timeout", "invalid_event")
KEYS = (b"a", b"b", None)
EPOCH = 1_769_860_800


class Killed(Exception):
    """The tool died here."""


class Standing:
    """Time that stands still."""

    def now(self) -> float:
        return 0.0


@st.composite
def logs(draw: st.DrawFn) -> MemoryDeadLetters:
    """Return a log with gaps, as transactions leave them, and a few marks."""
    log = MemoryDeadLetters({0: [], 1: [], 2: []}, partitions=2)
    number = 0
    for partition, letters in log.letters.items():
        offset = draw(st.integers(0, 5))
        for _ in range(draw(st.integers(0, 8))):
            letters.append(_drawn(draw, partition, offset, number))
            if draw(st.integers(0, 5)) == 0:
                log.marked[partition, offset] = Mark(Action.DISCARDED, 0.0)
            offset += draw(st.integers(1, 3))
            number += 1
    return log


def _drawn(draw: st.DrawFn, partition: int, offset: int, number: int) -> DeadLetter:
    return letter(
        partition,
        offset,
        origin=(draw(st.integers(0, 2)), number),
        code=draw(st.sampled_from(CODES)),
        key=draw(st.sampled_from(KEYS)),
        replays=draw(st.integers(0, 3)),
        failed_at=f"2026-01-31T12:00:0{draw(st.integers(0, 9))}Z",
    )


SELECTIONS = st.builds(
    Selection,
    references=st.frozensets(
        st.builds(Place, st.integers(0, 2), st.integers(0, 15))
        | st.builds(Origin, st.just(REQUESTED), st.integers(0, 2), st.integers(0, 20)),
        max_size=3,
    ),
    codes=st.frozensets(st.sampled_from(CODES), max_size=2),
    keys=st.frozensets(st.sampled_from([b"a", b"b"]), max_size=2),
    since=st.none() | st.integers(EPOCH, EPOCH + 9).map(float),
    until=st.none() | st.integers(EPOCH, EPOCH + 9).map(float),
    limit=st.none() | st.integers(1, 6),
)


def model(log: MemoryDeadLetters, selection: Selection) -> list[tuple[int, int]]:
    """Return what is meant, in the plainest words there are."""
    found = [
        (one.partition, one.offset)
        for partition in sorted(log.letters)
        for one in log.letters[partition]
        if (one.partition, one.offset) not in log.marked
        and (not selection.codes or one.code in selection.codes)
        and (not selection.keys or one.key in selection.keys)
        and (selection.since is None or one.failed_at >= selection.since)
        and (selection.until is None or one.failed_at < selection.until)
        and (
            not selection.references
            or Place(one.partition, one.offset) in selection.references
            or one.origin in selection.references
        )
    ]
    return found[: selection.limit]


@given(logs(), SELECTIONS)
def test_what_is_found_is_what_is_meant(log: MemoryDeadLetters, selection: Selection) -> None:
    async def found() -> list[tuple[int, int]]:
        every = look(log, selection, RULES, Look(handled=False))
        return [(one.letter.partition, one.letter.offset) async for one in every]

    assert asyncio.run(found()) == model(log, selection)


@given(logs(), SELECTIONS, st.lists(st.integers(0, 2), max_size=12), st.integers(1, 4))
def test_each_is_replayed_once_whoever_dies_or_comes_in_between(
    log: MemoryDeadLetters, selection: Selection, fates: list[int], batch: int
) -> None:
    """At each commit the tool may die before it or after it, or a rival may take over."""
    meant = [
        place
        for place in model(log, replace(selection, limit=None))
        if RULES.stays(next(one for one in log.letters[place[0]] if one.offset == place[1])) is None
    ][: selection.limit]
    ahead = iter(fates)

    def before(partition: int) -> None:
        log.epochs[partition] += (fate := next(ahead, 3)) == 2
        if fate == 0:
            raise Killed

    def after(_: int) -> None:
        if next(ahead, 3) == 0:
            raise Killed

    log.before_commit, log.after_commit = before, after

    async def run() -> None:
        how = Look(handled=False, counts=replayable_ones_count)
        plan = await survey(log, selection, RULES, how)
        handling = Handling(log, selection, replaying(RULES), Pace(10.0 * batch), Standing())
        while True:
            async with aclosing(handling.run(plan.spans)) as results:
                with suppress(Killed, AnotherOperator):
                    async for _ in results:
                        pass
                    return

    run_virtual(run())
    replayed = [replay.headers for replay in log.published]
    told = sorted(dict(headers)["x-replay-of"] or b"" for headers in replayed)
    assert told == sorted(b"%d:%d" % place for place in meant)
