"""Selecting, summing up, replaying and discarding dead letters, without a broker."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import fields
from itertools import pairwise

import pytest

from jiraiya_events.contract.letters import DeadLetter, Origin
from jiraiya_events.contract.marks import Action, Mark
from jiraiya_events.domain.codes import ErrorCode
from jiraiya_events.ops.dead_letters.advice import advice_for
from jiraiya_events.ops.dead_letters.handling import (
    Decide,
    Fate,
    Handling,
    Result,
    discarding,
    replaying,
)
from jiraiya_events.ops.dead_letters.pace import Pace
from jiraiya_events.ops.dead_letters.ports import AnotherOperator
from jiraiya_events.ops.dead_letters.references import Place, Reference, read_reference
from jiraiya_events.ops.dead_letters.selection import Selection, Span
from jiraiya_events.ops.dead_letters.staying import WORDS, ReplayRules, Stays
from jiraiya_events.ops.dead_letters.survey import (
    Look,
    Survey,
    look,
    open_ones_count,
    replayable_ones_count,
    survey,
)
from jiraiya_events.testing.virtual_time import run_virtual
from tests.unit.ops.letters import DLQ, REQUESTED, MemoryDeadLetters, letter

RULES = ReplayRules(REQUESTED, frozenset({0, 1, 2}), cap=5)
EVERYTHING = Selection()
NOW = 1_800_000_000.0


class Standing:
    """Time that stands still."""

    def now(self) -> float:
        return NOW


def log_of(*letters: DeadLetter) -> MemoryDeadLetters:
    """Return a log with three partitions that has these."""
    log = MemoryDeadLetters({0: [], 1: [], 2: []})
    for one in letters:
        log.letters[one.partition].append(one)
    return log


def many(count: int) -> list[DeadLetter]:
    """Return letters over three partitions, each the death of a request of its own."""
    return [letter(n % 3, n, origin=(n % 3, n)) for n in range(count)]


async def handle(
    log: MemoryDeadLetters,
    decide: Decide,
    *,
    selection: Selection = EVERYTHING,
    spans: Mapping[int, Span] | None = None,
    pace: Pace = Pace(),  # noqa: B008 - it is frozen
) -> list[Result]:
    handling = Handling(log, selection, decide, pace, Standing())
    return [one async for one in handling.run(spans or await log.spans())]


async def telling(
    log: MemoryDeadLetters,
    tell: Callable[[Result], None],
    pace: Pace = Pace(),  # noqa: B008 - likewise
) -> None:
    """Replay everything; each result is told at once."""
    handling = Handling(log, EVERYTHING, replaying(RULES), pace, Standing())
    async for result in handling.run(await log.spans()):
        tell(result)


async def seen(log: MemoryDeadLetters, selection: Selection, *, handled: bool = False) -> Survey:
    return await survey(log, selection, RULES, Look(handled=handled))


def offsets(log: MemoryDeadLetters) -> list[int]:
    """Return the requests' offsets of what was published."""
    return [replay.offset for replay in log.published]


# references


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("3:17", Place(3, 17)),
        ("story.requested/3/17", Origin("story.requested", 3, 17)),
        (f"{DLQ}/3/17", Place(3, 17)),
        ("3:", None),
        ("3/17", None),
        ("wish.json", None),
        ("./story.requested/3/17", None),
        ("3:17\n", None),
    ],
)
def test_a_reference_is_a_place_or_the_request_it_was(text: str, reference: object) -> None:
    assert read_reference(text, DLQ) == reference


# selection


@pytest.mark.parametrize(
    "selection",
    [
        Selection(references=frozenset({Place(0, 1)})),
        Selection(references=frozenset({Origin(REQUESTED, 2, 5)})),
        Selection(codes=frozenset({"provider_timeout"})),
        Selection(keys=frozenset({b"k"})),
        Selection(users=frozenset({"u-9"})),
        Selection(since=1_769_860_800.0),
        Selection(until=1_769_860_800.0 - 60),
    ],
)
async def test_each_selector_takes_what_it_names_and_nothing_else(selection: Selection) -> None:
    """All but one are told apart by everything."""
    value = b'{"request_id": "r", "user_id": "u-9", "keywords": ["a"]}'
    late = "2026-01-31T12:00:00Z" if selection.until is None else "2026-01-31T11:58:59Z"
    meant = letter(
        0, 1, origin=(2, 5), code="provider_timeout", key=b"k", value=value, failed_at=late
    )
    other = letter(0, 0, origin=(2, 4), failed_at="2026-01-31T11:59:59.999Z")
    log = log_of(other, meant)
    assert [one.letter async for one in look(log, selection, RULES, Look(handled=False))] == [meant]


async def test_selectors_narrow_each_other() -> None:
    log = log_of(letter(0, 0, code="internal"), letter(0, 1, code="internal", key=b"other"))
    both = Selection(codes=frozenset({"internal"}), keys=frozenset({b"other"}))
    assert (await seen(log, both)).summary.letters == 1


async def test_a_limit_counts_in_the_order_of_reading() -> None:
    """And what lies behind it is not touched, whoever adds or handles something meanwhile."""
    log = log_of(*many(9))
    plan = await seen(log, Selection(limit=4))
    assert plan.spans == {0: Span(0, 7), 1: Span(1, 2)}
    await handle(log, replaying(RULES), spans=plan.spans)
    assert offsets(log) == [0, 3, 6, 1]


async def test_the_limit_of_a_replay_counts_only_what_can_be_replayed() -> None:
    """Those at the cap would use it up on every run; those before are told of all the same."""
    log = log_of(*(letter(0, n, origin=(0, n), replays=5 * (n < 3)) for n in range(6)))
    how = Look(handled=False, counts=replayable_ones_count)
    plan = await survey(log, Selection(limit=2), RULES, how)
    assert plan.spans == {0: Span(0, 5)}
    await handle(log, replaying(RULES), spans=plan.spans)
    assert offsets(log) == [3, 4]


async def test_the_limit_counts_nothing_that_is_done() -> None:
    log = log_of(*many(6))
    log.marked = {(0, 0): Mark(Action.REPLAYED, NOW)}
    how = Look(handled=True, counts=open_ones_count)
    assert (await survey(log, Selection(limit=1), RULES, how)).spans == {0: Span(3, 4)}


async def test_a_survey_holds_nothing_of_the_letters_it_counted() -> None:
    """It is as large for six hundred as for six."""
    few, many_more = [await seen(log_of(*many(count)), EVERYTHING) for count in (6, 600)]
    assert (few.summary.letters, many_more.summary.letters) == (6, 600)
    held = [field.name for field in fields(few) if field.name != "summary"]
    for name in held:
        assert len(getattr(few, name)) == len(getattr(many_more, name)), name


async def test_a_look_says_how_far_it_is() -> None:
    """In offsets, so that what is not selected, or aborted, is progress too."""
    told: list[tuple[int, int]] = []
    how = Look(handled=False, reading=lambda behind, total: told.append((behind, total)))
    log = log_of(*many(12), letter(2, 99, origin=(0, 99)))
    await survey(log, Selection(codes=frozenset({"none"})), RULES, how)
    assert told == [(7, 118), (10, 118), (17, 118), (20, 118), (27, 118), (118, 118)]


async def test_places_are_read_without_reading_the_rest() -> None:
    selection = Selection(references=frozenset({Place(1, 4), Place(1, 7), Place(9, 9)}))
    assert selection.spans({0: Span(0, 9), 1: Span(1, 8)}) == {1: Span(4, 8)}


async def test_what_came_after_the_look_is_left_alone() -> None:
    log = log_of(*many(3))
    plan = await seen(log, EVERYTHING)
    log.letters[0].append(letter(0, 50, origin=(0, 50)))
    await handle(log, replaying(RULES), spans=plan.spans)
    assert 50 not in offsets(log)


async def test_nobody_is_taken_over_where_everything_is_done() -> None:
    """A colleague at work there would be fenced for nothing."""
    log = log_of(*many(4))
    log.marked = {(0, 0): Mark(Action.REPLAYED, NOW), (1, 1): Mark(Action.REPLAYED, NOW)}
    plan = await seen(log, EVERYTHING, handled=True)
    assert plan.spans == {0: Span(3, 4), 2: Span(2, 3)}
    assert [found.letter.reference for found in plan.done_before] == ["0:0", "1:1"]
    await handle(log, replaying(RULES), spans=plan.spans)
    assert log.epochs == {0: 1, 1: 0, 2: 1}


async def test_references_that_name_nothing_are_told() -> None:
    selection = Selection(references=frozenset({Place(0, 0), Place(0, 9), Origin("t", 1, 1)}))
    plan = await seen(log_of(letter()), selection)
    assert sorted(str(one) for one in plan.missing) == ["0:9", "t/1/1"]
    assert not plan.left_out


async def test_references_that_other_selectors_leave_out_are_told_apart() -> None:
    """Also by their request; one of whose letters is selected is not missing."""
    named: set[Reference] = {
        Place(0, 0),
        Place(0, 9),
        Origin(REQUESTED, 0, 1),
        Origin(REQUESTED, 0, 2),
    }
    log = log_of(
        letter(0, 0, origin=(0, 0)),
        letter(0, 1, origin=(0, 1)),
        letter(0, 2, origin=(0, 2)),
        letter(0, 3, origin=(0, 2), code="invalid_event"),
        letter(0, 4, origin=(0, 4)),
    )
    selection = Selection(references=frozenset(named), codes=frozenset({"invalid_event"}))
    plan = await seen(log, selection)
    assert plan.missing & plan.left_out == {Place(0, 0), Origin(REQUESTED, 0, 1)}
    assert plan.missing - plan.left_out == {Place(0, 9)}


async def test_handled_ones_are_hidden_unless_asked_for() -> None:
    log = log_of(*many(2))
    log.marked[0, 0] = Mark(Action.DISCARDED, NOW)
    assert (await seen(log, EVERYTHING)).summary.letters == 1
    whole = await seen(log, EVERYTHING, handled=True)
    assert (whole.summary.letters, whole.summary.handled) == (2, 1)


# what stays


@pytest.mark.parametrize(
    ("dead", "reason"),
    [
        (letter(), None),
        (letter(value=None), None),  # a tombstone is what came in
        (letter(value=None, more=[("x-dlq-truncated", b"true")]), Stays.TRUNCATED),
        (letter(replays=4), None),
        (letter(replays=5), Stays.CAP),
        (letter(origin=None), Stays.NO_ORIGIN),
        (letter(origin=(3, 0)), Stays.NO_PARTITION),
        (letter(topic="of.others"), Stays.OTHER_TOPIC),
    ],
)
async def test_what_cannot_be_replayed_stays_and_says_why(
    dead: DeadLetter, reason: Stays | None
) -> None:
    log = log_of(dead)
    (result,) = await handle(log, replaying(RULES))
    assert result.stays is reason
    assert len(log.published) == len(log.marked) == (reason is None)
    assert (await seen(log_of(dead), EVERYTHING)).summary.replayable == (reason is None)


async def test_anything_can_be_discarded() -> None:
    """Nothing is published for it, and it can then no longer be replayed."""
    log = log_of(letter(), letter(1, 1, origin=None, value=None))
    assert [one.fate for one in await handle(log, discarding)] == [Fate.DISCARDED] * 2
    again = await handle(log, replaying(RULES))
    assert [one.mark and one.mark.action for one in again] == [Action.DISCARDED] * 2
    assert not log.published


def test_every_reason_has_words() -> None:
    assert set(WORDS) == set(Stays)


@pytest.mark.parametrize("code", [*ErrorCode, "of_a_later_release"])
def test_every_code_has_a_next_step(code: str) -> None:
    assert len(advice_for(code)) > 20


# summary


async def test_the_summary_counts_by_code() -> None:
    log = log_of(
        letter(0, 0, code="internal", failed_at="2026-01-03T00:00:00Z"),
        letter(0, 1, code="internal", replays=9, failed_at="2026-01-01T00:00:00Z"),
        letter(0, 2, code="provider_timeout"),
    )
    log.marked[0, 2] = Mark(Action.REPLAYED, NOW)
    summary = (await seen(log, EVERYTHING, handled=True)).summary
    internal, timeout = summary.lines
    assert (internal.letters, internal.replayable, internal.stays) == (2, 1, {Stays.CAP: 1})
    assert internal.newest - internal.oldest == 2 * 24 * 3600
    assert (timeout.letters, timeout.handled, timeout.replayable) == (1, 1, 0)
    assert (summary.letters, summary.handled, summary.replayable) == (3, 1, 1)
    assert summary.stays == {Stays.CAP: 1}


# replaying


async def test_a_replay_and_its_mark_commit_together() -> None:
    log = log_of(*many(5))
    results = await handle(log, replaying(RULES))
    assert Counter(one.fate for one in results) == {Fate.REPLAYED: 5}
    assert set(log.marked.values()) == {Mark(Action.REPLAYED, NOW)}
    assert sorted(offsets(log)) == list(range(5))


async def test_what_is_marked_is_never_published_again() -> None:
    log = log_of(*many(5))
    await handle(log, replaying(RULES))
    again = await handle(log, replaying(RULES))
    assert {one.fate for one in again} == {Fate.DONE_BEFORE}
    assert len(log.published) == 5


async def test_a_fenced_operator_stops_and_publishes_nothing_more() -> None:
    log = log_of(*many(9))

    def rival(partition: int) -> None:
        log.epochs[partition] += partition == 1

    log.before_commit = rival
    with pytest.raises(AnotherOperator, match="partition 1; nothing was done twice"):
        await handle(log, replaying(RULES))
    assert offsets(log) == [0, 3, 6]


async def test_one_that_is_too_large_stays_and_blocks_nobody() -> None:
    log = log_of(*many(9))
    log.too_large = lambda dead: dead.offset == 4
    results = await handle(log, replaying(RULES))
    stays = {one.letter.offset: one.stays for one in results if one.stays is not None}
    assert stays == {4: Stays.TOO_LARGE}
    assert sorted(offsets(log)) == [0, 1, 2, 3, 5, 6, 7, 8]


async def test_what_another_operator_did_during_a_renewal_is_not_done_again() -> None:
    """After a refusal the marks are read anew, before one after the other is tried."""
    log = log_of(*many(9))
    log.too_large = lambda dead: dead.offset == 4

    def rival(partition: int) -> None:
        if partition == 1:
            log.marked[1, 7] = Mark(Action.DISCARDED, NOW)

    log.before_commit = rival
    fates = {one.letter.offset: one.fate for one in await handle(log, replaying(RULES))}
    assert (fates[4], fates[7]) == (Fate.STAYS, Fate.DONE_BEFORE)
    assert 7 not in offsets(log)


def test_a_rate_is_kept() -> None:
    """Twenty at ten a second, one at a time: the first at once, the last after 1.9 s."""
    log = log_of(*many(20))

    async def timed() -> float:
        results = await handle(log, replaying(RULES), pace=Pace(10.0))
        assert len(results) == log.commits == 20
        return asyncio.get_running_loop().time()

    assert run_virtual(timed()) == pytest.approx(1.9)


@pytest.mark.parametrize(("rate", "batch"), [(None, 100), (0.5, 1), (10, 1), (200, 20), (9e9, 100)])
def test_a_transaction_holds_no_more_than_the_rate_allows(rate: float | None, batch: int) -> None:
    assert Pace(rate).batch == batch


def test_a_batch_waits_its_time_after_the_one_before() -> None:
    assert Pace(10.0).wait_s(5, 0.2) == pytest.approx(0.3)
    assert Pace(10.0).wait_s(5, 2.0) == 0.0
    assert Pace().wait_s(10**6, 0.0) == 0.0


def test_what_was_slow_is_not_made_up_for_in_a_burst() -> None:
    """One transaction takes nine seconds; the others keep their distance all the same."""
    log = log_of(*many(9))
    moments: list[float] = []

    async def timed() -> None:
        loop = asyncio.get_running_loop()
        await telling(log, lambda _: moments.append(loop.time()), Pace(1.0))

    async def delay() -> None:
        if log.commits == 1:
            await asyncio.sleep(9.0)

    log.during_commit = delay
    run_virtual(timed())
    gaps = [after - before for before, after in pairwise(moments)]
    assert gaps == pytest.approx([10.0, *[1.0] * 7])


async def test_a_transaction_holds_no_more_than_a_few_megabytes() -> None:
    """Bodies of a megabyte go four at a time."""
    body = b"x" * 2**20
    log = log_of(*(letter(0, n, origin=(0, n), value=body) for n in range(9)))
    assert len(await handle(log, discarding)) == 9
    assert log.commits == 3


async def test_an_interruption_in_a_commit_is_told_what_was_committed() -> None:
    """And then it ends the run; nothing more is published."""
    log = log_of(*many(9))
    told: list[Result] = []

    running = asyncio.ensure_future(telling(log, told.append))

    async def interrupt() -> None:
        running.cancel()
        await asyncio.sleep(0)

    log.during_commit = interrupt
    await asyncio.wait([running])
    assert running.cancelled()
    assert [one.letter.offset for one in told] == offsets(log) == [0, 3, 6]


async def test_an_interruption_tells_nothing_of_a_commit_that_failed() -> None:
    log = log_of(*many(9))
    told: list[Result] = []

    running = asyncio.ensure_future(telling(log, told.append))

    async def interrupt() -> None:
        running.cancel()
        await asyncio.sleep(0)
        log.epochs[0] += 1

    log.during_commit = interrupt
    await asyncio.wait([running])
    assert running.cancelled()
    assert (told, log.published) == ([], [])
