"""A session: what it reads, starts, holds back and refuses."""

import asyncio
from collections.abc import Callable

import pytest

from jiraiya_events.engine import offset_map
from jiraiya_events.engine.errors import Fenced
from jiraiya_events.engine.offset_map import Progress
from jiraiya_events.engine.parking import Parking
from jiraiya_events.engine.records import Committed, Output, Partition, Record
from jiraiya_events.engine.session_state import SessionState
from jiraiya_events.engine.verdicts import Done, Park, Retry, Verdict, Work
from tests.unit.engine.rig import HERE, OUT, Rig, at_once, echo, virtual


async def for_ever(work: Work) -> Verdict:
    """Never end by itself."""
    await asyncio.sleep(10**6)
    return Done([echo(work.record)])


@virtual
async def test_each_record_is_published_once_and_its_progress_committed() -> None:
    """The plain way of a record."""
    rig = Rig()
    rig.add(b"a", b"b", None)
    await rig.start()
    await rig.stop()
    assert sorted(rig.published, key=str) == [b"0", b"1", b"2"]
    assert rig.committed == Committed(3)


@virtual
async def test_records_before_running_and_below_the_expected_offset_are_dropped() -> None:
    """The gate: nothing is taken in twice, nothing before the session is open."""
    rig = Rig(for_ever)
    rig.add(b"a", b"b")
    early = Record("in", 0, 0, 0, b"a", b"v")
    rig.engine.accept(early)
    rig.intake.assign([HERE])
    rig.engine.assign([HERE])
    rig.engine.accept(early)
    assert rig.started == []
    await asyncio.sleep(1)
    rig.engine.accept(early)
    rig.engine.accept(early)
    await asyncio.sleep(0)
    assert rig.started == [0]
    await rig.stop(0)


@pytest.mark.parametrize("limit", [{"accepted": 4}, {"accepted_bytes": 44}])
@virtual
async def test_intake_pauses_at_a_limit_and_resumes_well_below(limit: dict[str, float]) -> None:
    """Records or bytes: 4 are taken in, and 3 left of 4 do not resume it yet, 2 do."""
    gates: dict[int, asyncio.Event] = {n: asyncio.Event() for n in range(12)}

    async def gated(work: Work) -> Verdict:
        await gates[work.record.offset].wait()
        return Done([])

    rig = Rig(gated, **limit)
    rig.add(*(b"%d" % n for n in range(12)))
    await rig.start()
    assert rig.started == [0, 1, 2, 3]
    gates[0].set()
    await asyncio.sleep(1)
    assert rig.started == [0, 1, 2, 3]
    gates[1].set()
    await asyncio.sleep(1)
    assert len(rig.started) > 4
    for gate in gates.values():
        gate.set()
    await asyncio.sleep(1)
    await rig.stop()
    assert rig.committed == Committed(12)


@virtual
async def test_a_long_map_pauses_the_intake() -> None:
    """Metadata is a limit of its own."""
    rig = Rig(for_ever, idle_s=100)
    await rig.start()
    rig.session.throttle.metadata_chars = 3_500
    rig.add(b"a", b"b")
    await asyncio.sleep(1)
    assert rig.started == [0]
    await rig.stop(0)


@virtual
async def test_a_long_map_that_was_taken_over_is_read_side_by_side() -> None:
    """All it speaks of is in it already; one record after the other would take hours."""
    waiting = dict.fromkeys(range(1_400), 2)

    async def slow(work: Work) -> Verdict:
        await asyncio.sleep(0.01 if work.record.offset < 3 else 10)
        return await at_once(work)

    rig = Rig(slow)
    rig.add(*(b"%d" % n for n in range(1_500)))
    rig.log.committed[HERE] = offset_map.encode(Progress(1_400, waiting))[0]

    async def read_slowly(deliver: Callable[[Record], None]) -> None:
        while True:
            record = rig.intake.step()
            if record is not None:
                deliver(record)
            await asyncio.sleep(1 if record is None else 0.001)

    rig.intake.run = read_slowly  # type: ignore[method-assign]
    await rig.start()
    await asyncio.sleep(200)
    assert len(rig.published) == 1_500
    await rig.stop()


@virtual
async def test_a_retry_holds_its_lane_while_other_keys_go_on() -> None:
    """Order per key, no wait for the rest, and tries are counted on."""
    seen: list[tuple[int, int]] = []

    async def once_more(work: Work) -> Verdict:
        seen.append((work.record.offset, work.tries))
        if work.record.offset == 0 and work.tries == 0:
            work.tries = 1
            return Retry(5)
        return Done([echo(work.record)])

    rig = Rig(once_more)
    rig.add(b"a", b"a", b"b")
    await rig.start()
    assert seen == [(0, 0), (2, 0)]
    assert rig.transactions[-1][1].metadata
    await asyncio.sleep(6)
    assert seen == [(0, 0), (2, 0), (0, 1), (1, 0)]
    assert rig.published == [b"2", b"0", b"1"]
    await rig.stop()


@virtual
async def test_tries_alone_are_committed_and_a_new_owner_counts_on() -> None:
    """Progress without outputs carries the tries."""

    async def later(work: Work) -> Verdict:
        work.tries = 2
        return Retry(100)

    rig = Rig(later)
    rig.add(b"a")
    await rig.start()
    await rig.stop()
    assert rig.published == []
    heir = Rig(for_ever)
    heir.log = rig.log
    heir.intake._log = rig.log
    await heir.start()
    assert heir.session.tracker is not None
    assert heir.session.tracker.tries(0) == 2
    await heir.stop(0)


@virtual
async def test_parked_records_wake_in_order_or_at_their_latest() -> None:
    """`unpark` wakes as many as asked; time wakes the rest."""
    turns: list[int] = []

    async def park(work: Work) -> Verdict:
        turns.append(work.record.offset)
        return Park(100) if turns.count(work.record.offset) == 1 else Done([])

    rig = Rig(park)
    rig.add(b"a", b"b", b"c")
    await rig.start()
    assert rig.engine.statistics().parked == 3
    rig.engine.unpark(None, 1)
    await asyncio.sleep(1)
    assert turns == [0, 1, 2, 0]
    rig.engine.unpark(None, 0)
    await asyncio.sleep(1)
    assert turns == [0, 1, 2, 0]
    await asyncio.sleep(100)
    assert turns == [0, 1, 2, 0, 1, 2]
    await rig.stop()


@virtual
async def test_who_left_the_parking_is_not_woken() -> None:
    """Leaving twice or unparked is harmless; `unpark` without a number wakes all."""
    parking, woken = Parking(), list[str]()
    for name in "abc":
        parking.park(name, None, 10, lambda name=name: woken.append(name), since=0)  # type: ignore[misc]
    parking.leave("b")
    parking.leave("b")
    parking.unpark(None)
    await asyncio.sleep(20)
    parking._wake("a")
    assert (woken, len(parking)) == (["a", "c"], 0)


class Panic(BaseException):
    """What an extension raises that is no `Exception`."""


BUGS = [ZeroDivisionError(), Panic(), BaseExceptionGroup("several", [Panic(), ValueError()])]


@pytest.mark.parametrize("bug", BUGS, ids=repr)
@virtual
async def test_a_handler_that_raises_ends_its_record_as_crashed(bug: BaseException) -> None:
    """A bug costs one record its story, not its outcome, and the key goes on."""

    async def broken(work: Work) -> Verdict:
        if work.record.offset == 0:
            raise bug
        return await at_once(work)

    rig = Rig(broken)
    rig.add(b"a", b"a")
    await rig.start()
    await rig.stop()
    assert rig.published == [b"crashed 0", b"1"]
    (told,) = rig.crashes
    assert bug in {told, told.__cause__}


@virtual
async def test_a_cancellation_from_inside_the_handler_is_a_crash() -> None:
    """A cancelled future of some client must not leave a record in flight for ever."""

    async def cancelled_inside(work: Work) -> Verdict:
        future = asyncio.get_running_loop().create_future()
        future.cancel()
        await future
        return Done([echo(work.record)])

    rig = Rig(cancelled_inside)
    rig.add(b"a", b"a")
    await rig.start()
    await rig.stop()
    assert rig.published == [b"crashed 0", b"crashed 1"]


@pytest.mark.parametrize("bug", [ValueError(), Panic()], ids=repr)
@virtual
async def test_a_crash_that_cannot_be_reported_halts_the_partition(bug: BaseException) -> None:
    """Going on would lose the record; the reason is told."""

    async def broken(work: Work) -> Verdict:
        raise ZeroDivisionError(work)

    def broken_too(record: Record, error: Exception) -> Done:
        raise bug from error

    rig = Rig(broken)
    rig.on_crash = broken_too
    rig.add(b"a", b"b")
    await rig.start()
    (snapshot,) = rig.engine.statistics().sessions
    assert snapshot.state is SessionState.HALTED
    assert repr(bug) in snapshot.reason
    assert rig.committed.offset in {None, 0}
    await rig.stop()


@virtual
async def test_the_verdict_of_a_record_another_owner_finished_is_refused() -> None:
    """The partition went away and came back while the handler ran."""
    rig = Rig(lambda work: _slow(work, 5))
    rig.add(b"a", b"a", b"b", b"c")
    await rig.start()
    rig.assign()
    epoch = rig.log.new_epoch(HERE)
    done = [Output(OUT, b"k", b"theirs %d" % n) for n in range(3)]
    rig.log.commit(HERE, epoch, done, Committed(3))
    rig.assign(HERE)
    await asyncio.sleep(20)
    await rig.stop()
    assert rig.published == [b"theirs 0", b"theirs 1", b"theirs 2", b"3"]
    assert rig.committed == Committed(4)
    assert rig.started.count(3) == 1


@virtual
async def test_a_held_record_another_owner_finished_is_forgotten() -> None:
    """Neither its timer nor its parking place brings it back."""

    async def wait(work: Work) -> Verdict:
        if work.record.offset == 2:
            return await _slow(work, 5)
        return Park(50) if work.record.offset else Retry(50)

    rig = Rig(wait)
    rig.add(b"a", b"b", b"c")
    await rig.start()
    rig.assign()
    epoch = rig.log.new_epoch(HERE)
    rig.log.commit(HERE, epoch, [], Committed(2))
    rig.assign(HERE)
    await asyncio.sleep(100)
    assert rig.started == [0, 1, 2]
    assert rig.engine.statistics().parked == 0
    assert rig.session.throttle.bytes == 0
    await rig.stop()
    assert rig.published == [b"2"]


@virtual
async def test_retention_is_reported() -> None:
    """A waiting record the log has lost is told of and does not hold the frontier for ever."""

    async def stuck_head(work: Work) -> Verdict:
        return Retry(100) if work.record.offset < 2 else await at_once(work)

    first = Rig(stuck_head)
    first.add(b"a", b"b", b"c", b"d", b"e")
    await first.start()
    await first.stop()
    first.log.truncate(HERE, 2)
    heir = Rig(at_once)
    heir.log = heir.intake._log = first.log
    await heir.start()
    heir.add(b"f")
    await asyncio.sleep(3)
    await heir.stop()
    assert heir.notes.lost == [0, 1]
    assert heir.committed == Committed(6)


async def _slow(work: Work, seconds: float) -> Verdict:
    await asyncio.sleep(seconds)
    return await at_once(work)


@virtual
async def test_a_busy_key_delays_another_by_one_turn_only() -> None:
    """1,000 records of one key, then one of another: it starts second."""
    rig = Rig(lambda work: _slow(work, 1), in_flight=1)
    rig.add(*[b"busy"] * 1_000, b"quiet")
    await rig.start()
    await asyncio.sleep(3)
    assert 1_000 in rig.started[:3]
    await rig.stop(0)


@virtual
async def test_a_busy_partition_delays_another_by_one_turn_only() -> None:
    """Slots go round the partitions whatever waits in each."""
    order: list[Partition] = []

    async def note(work: Work) -> Verdict:
        order.append(Partition(work.record.topic, work.record.partition))
        return await _slow(work, 1)

    other = Partition("in", 1)
    rig = Rig(note, in_flight=1)
    rig.add(*(b"%d" % n for n in range(500)))
    await rig.start(HERE, other)
    rig.add(b"x", partition=other)
    await asyncio.sleep(3)
    assert other in order[:4]
    await rig.stop(0)


@virtual
async def test_nothing_starts_while_too_much_is_uncommitted() -> None:
    """A log that takes no commits stops the work before memory fills."""
    rig = Rig(uncommitted=2, in_flight=1, reopen_s=5)
    rig.commit_troubles = [(Fenced("newer"), 0)]
    rig.add(*(b"%d" % n for n in range(9)))
    await rig.start()
    assert rig.started == [0, 1]
    await asyncio.sleep(10)
    assert len(rig.published) == 9
    await rig.stop()


def test_a_record_weighs_its_key_value_and_headers() -> None:
    """Null weighs nothing."""
    headers = (("ab", b"cd"), ("e", None))
    assert Record("in", 0, 0, 0, b"key", None, headers).size == 8


@virtual
async def test_a_wake_up_goes_to_those_who_wait_at_that_place() -> None:
    """One breaker's trial calls are not used up by what waits for another."""
    turns: list[int] = []

    async def park_once(work: Work) -> Verdict:
        turns.append(work.record.offset)
        first = turns.count(work.record.offset) == 1
        return Park(100, "b" if work.record.offset else "a") if first else Done([])

    rig = Rig(park_once)
    rig.add(b"0", b"1", b"2")
    await rig.start()
    rig.engine.unpark("b", 1)
    await asyncio.sleep(1)
    assert turns == [0, 1, 2, 1]
    rig.engine.unpark("a", 5)
    await asyncio.sleep(1)
    assert turns == [0, 1, 2, 1, 0]
    await rig.stop(0)


@virtual
@pytest.mark.parametrize("count", [None, 1])
async def test_a_wake_up_while_a_record_is_on_its_way_to_the_parking_is_not_lost(
    count: int | None,
) -> None:
    """It has decided to park, and has its store to speak to before it gets there."""
    turns: list[int] = []

    async def park_slowly(work: Work) -> Verdict:
        turns.append(work.record.offset)
        await asyncio.sleep(2)
        return Park(100, "m")

    rig = Rig(park_slowly)
    rig.add(b"k")
    await rig.start()
    rig.engine.unpark("other")
    rig.engine.unpark("m", count)
    await asyncio.sleep(10)
    assert turns == [0, 0], "one more turn, and no more than one"
    await rig.stop(0)


@virtual
async def test_a_wake_up_that_found_enough_concerns_nobody_on_the_way() -> None:
    """The slot is another's: who comes later waits behind."""
    turns: list[int] = []

    async def park_at_once_or_slowly(work: Work) -> Verdict:
        turns.append(work.record.offset)
        await asyncio.sleep(2 * work.record.offset)
        return Park(100, "m") if turns.count(work.record.offset) == 1 else Done([])

    rig = Rig(park_at_once_or_slowly)
    rig.add(b"a", b"b")
    await rig.start()
    rig.engine.unpark("m", 1)
    await asyncio.sleep(10)
    assert turns == [0, 1, 0]
    await rig.stop(0)


@virtual
async def test_only_those_are_woken_whose_time_is_up_by_then() -> None:
    """For who has more time there is nothing new."""
    turns: list[int] = []

    async def park(work: Work) -> Verdict:
        turns.append(work.record.offset)
        first = turns.count(work.record.offset) == 1
        return Park(100 * (work.record.offset + 1), "m") if first else Done([])

    rig = Rig(park)
    rig.add(b"a", b"b", b"c")
    await rig.start()
    assert rig.engine.unpark("m", None, 250) == 2
    await asyncio.sleep(1)
    assert turns == [0, 1, 2, 0, 1]
    await rig.stop(0)


@virtual
async def test_what_may_not_start_takes_no_wake_up() -> None:
    """A partition that is gone, but for a call that still runs, wakes nobody's trial in vain."""
    other = Partition("in", 1)
    turns: list[tuple[int, int]] = []

    async def park_or_run(work: Work) -> Verdict:
        place = (work.record.partition, work.record.offset)
        turns.append(place)
        if place == (0, 0):
            await asyncio.sleep(1_000)
        return Park(500, "m") if turns.count(place) == 1 else Done([])

    rig = Rig(park_or_run)
    rig.add(b"runs", b"parked", b"parked too")
    await rig.start(HERE, other)
    rig.assign(other)
    rig.add(b"x", partition=other)
    await asyncio.sleep(1)
    turns.clear()
    rig.engine.unpark("m", 1)
    await asyncio.sleep(1)
    assert turns == [(1, 0)]
    await rig.stop(0)
