"""The commit loop: what it does when the log says no, or nothing at all."""

import asyncio
from collections.abc import Sequence

import pytest

from jiraiya_events.engine.errors import Fenced, NothingAccepted, OutputsRefused, WriterFailed
from jiraiya_events.engine.offset_map import decode
from jiraiya_events.engine.records import Committed, Output, Partition
from jiraiya_events.engine.session_state import SessionState
from jiraiya_events.engine.verdicts import Done, Retry, Verdict, Work
from tests.unit.engine.rig import HERE, OUT, Rig, TroubledWriter, at_once, virtual

LARGE = b"x" * 200


def large(smaller: Output | None) -> Output:
    """Make an output the log refuses."""
    return Output(OUT, b"k", LARGE, smaller=smaller)


@virtual
async def test_a_fenced_session_waits_before_it_opens_again() -> None:
    """Whoever fenced us may be the rightful owner: ask a second later."""
    rig = Rig(reopen_s=3)
    rig.commit_troubles = [(Fenced("newer"), 0)]
    rig.add(b"a")
    await rig.start()
    assert len(rig.opens) == 1
    await asyncio.sleep(5)
    assert len(rig.opens) == 2
    assert 3 <= rig.opens[1] - rig.opens[0] < 4
    assert rig.published == [b"0"]
    await rig.stop()


@virtual
async def test_a_fenced_and_suspended_session_does_not_fence_back() -> None:
    """It opens only when the partition is known to be ours again."""
    rig = Rig()
    rig.commit_troubles = [(Fenced("newer"), 0)]
    rig.add(b"a")
    await rig.start()
    rig.engine.revoke([HERE])
    await asyncio.sleep(60)
    assert len(rig.opens) == 1
    rig.assign(HERE)
    await asyncio.sleep(3)
    assert len(rig.opens) == 2
    assert rig.published == [b"0"]
    await rig.stop()


@pytest.mark.parametrize(
    "trouble", [(WriterFailed("lost"), 0), (0, WriterFailed("unheard"))], ids=["lost", "unheard"]
)
@virtual
async def test_a_commit_of_unknown_fate_is_neither_lost_nor_repeated(
    trouble: tuple[object, object],
) -> None:
    """The log is asked, and only what it does not have is published again."""
    rig = Rig()
    rig.commit_troubles = [trouble]
    rig.add(b"a", b"b")
    await rig.start()
    await rig.stop()
    assert sorted(rig.published, key=str) == [b"0", b"1"]
    assert rig.committed == Committed(2)


@virtual
async def test_opening_is_tried_again_with_growing_waits() -> None:
    """0.1 s, doubling, up to 5 s."""
    rig = Rig()
    rig.open_troubles = [WriterFailed("away") for _ in range(9)]
    await rig.start()
    await asyncio.sleep(60)
    waits = [round(b - a, 1) for a, b in zip(rig.opens, rig.opens[1:], strict=False)]
    assert waits == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0]
    await rig.stop()


@virtual
async def test_a_stop_does_not_wait_for_a_log_that_is_away() -> None:
    """One more failed opening ends the loop."""
    rig = Rig()
    rig.open_troubles = [WriterFailed("away") for _ in range(10_000)]
    await rig.start()
    began = asyncio.get_running_loop().time()
    await rig.stop()
    assert asyncio.get_running_loop().time() - began < 6


@virtual
async def test_a_refused_output_is_replaced_by_its_smaller_one() -> None:
    """Its neighbour in the transaction is untouched."""

    async def handle(work: Work) -> Verdict:
        smaller = Output(OUT, b"k", b"small")
        return Done([Output(OUT, b"k", b"ok"), large(smaller)])

    rig = Rig(handle)
    rig.log.max_output_bytes = 100
    rig.add(b"a")
    await rig.start()
    await rig.stop()
    assert rig.published == [b"ok", b"small"]


@virtual
async def test_of_several_suspects_each_is_tried_alone_and_in_order() -> None:
    """Who fits is published whole, who does not is made smaller, and nobody overtakes."""

    async def handle(work: Work) -> Verdict:
        value = b"%d" % work.record.offset
        if work.record.offset in {1, 3}:
            return Done([large(Output(OUT, b"k", value))])
        return Done([Output(OUT, b"k", value)])

    rig = Rig(handle)
    rig.log.max_output_bytes = 100
    rig.add(*[b"a"] * 5)
    await rig.start()
    await asyncio.sleep(5)
    await rig.stop()
    assert rig.published == [b"0", b"1", b"2", b"3", b"4"]
    assert rig.notes.commits == [[0], [1], [2], [3], [4]]


@virtual
async def test_without_a_smaller_output_the_record_ends_as_crashed() -> None:
    """The handler's last resort is published in its place."""

    async def handle(work: Work) -> Verdict:
        return Done([large(None)])

    rig = Rig(handle)
    rig.log.max_output_bytes = 100
    rig.add(b"a")
    await rig.start()
    await rig.stop()
    assert rig.published == [b"crashed 0"]
    assert isinstance(rig.crashes[0], OutputsRefused)


@virtual
async def test_a_last_resort_that_is_refused_halts_the_partition_for_good() -> None:
    """It stops and says so, and does not go on opening writers."""

    async def handle(work: Work) -> Verdict:
        return Done([large(None)])

    rig = Rig(handle)
    rig.log.max_output_bytes = 100
    rig.on_crash = lambda _record, _error: Done([large(None)])
    rig.add(b"a")
    await rig.start()
    await asyncio.sleep(60)
    assert rig.session.state is SessionState.HALTED
    assert rig.notes.halts[0].startswith("the log refuses every outcome of 0")
    assert len(rig.notes.halts) == 1
    assert len(rig.opens) == 2
    assert not isinstance(rig.notes.failures[-1], NothingAccepted)
    await rig.stop()


@virtual
async def test_unreadable_progress_halts_the_partition() -> None:
    """Reprocessing would publish twice; another partition goes on."""
    other = Partition("in", 1)
    rig = Rig()
    rig.log.committed[HERE] = Committed(4, "9future")
    rig.add(b"a")
    rig.add(b"b", partition=other)
    await rig.start(HERE, other)
    assert rig.session.state is SessionState.HALTED
    assert "unknown version" in rig.notes.halts[0]
    assert rig.published == [b"0"]
    assert rig.committed == Committed(4, "9future")
    await rig.stop()


@virtual
async def test_an_idle_session_commits_its_bare_position() -> None:
    """Control records at the end of the log do not leave a lag behind."""
    rig = Rig()
    rig.add(b"a")
    rig.log.ends[HERE] = 4
    await rig.start()
    assert rig.committed == Committed(1)
    await asyncio.sleep(2)
    assert rig.committed == Committed(4)
    await rig.stop()


@virtual
async def test_an_idle_session_with_nothing_new_commits_nothing() -> None:
    """An hour of quiet costs no transaction."""
    rig = Rig()
    rig.add(b"a")
    await rig.start()
    before = len(rig.transactions)
    await asyncio.sleep(3_600)
    assert len(rig.transactions) == before
    await rig.stop()


@pytest.mark.parametrize("answer", [9, None])
@virtual
async def test_a_position_that_comes_after_a_revocation_is_not_believed(
    answer: int | None,
) -> None:
    """Records delivered and dropped meanwhile would be skipped for ever."""
    rig = Rig()
    asked = asyncio.Event()

    async def slow_position(partition: Partition) -> int | None:
        asked.set()
        await asyncio.sleep(1)
        return answer

    rig.intake.position = slow_position  # type: ignore[method-assign]
    await rig.start()
    await asked.wait()
    rig.engine.revoke([HERE])
    await asyncio.sleep(2)
    assert rig.session.tracker is not None
    assert rig.session.tracker.next_expected == 0
    await rig.stop()


@virtual
async def test_finished_records_wait_for_company() -> None:
    """Ten records that end together are one transaction."""
    rig = Rig()
    rig.add(*(b"%d" % n for n in range(10)))
    await rig.start()
    assert [sorted(batch) for batch in rig.notes.commits] == [list(range(10))]
    await rig.stop()


@virtual
async def test_what_a_map_does_not_cover_waits_for_a_later_commit() -> None:
    """With a map that cannot hold them all, outputs behind it are kept back, not lost."""
    hold = asyncio.Event()

    async def last_first(work: Work) -> Verdict:
        if work.record.offset < 10**6 * 1_400:
            await hold.wait()
        return await at_once(work)

    rig = Rig(last_first, in_flight=2_000)
    for number in range(1_450):
        rig.add(b"%d" % number, gap=10**6)
    await rig.start()
    await asyncio.sleep(1)
    assert rig.published == []
    hold.set()
    await asyncio.sleep(10)
    await rig.stop()
    assert len(rig.published) == len(set(rig.published)) == 1_450


@virtual
async def test_what_a_map_does_not_cover_keeps_no_other_record_from_starting() -> None:
    """Were it counted as uncommitted, the records it waits for could never start."""
    turns = dict.fromkeys((0, 1), 0)

    async def last_first(work: Work) -> Verdict:
        number = work.record.offset // 10**6
        if number in turns and not turns[number]:
            turns[number] += 1
            return Retry(5)
        if number < 1_400:
            await asyncio.sleep(10)
        return await at_once(work)

    rig = Rig(last_first, in_flight=2_000, uncommitted=4)
    for number in range(1_450):
        rig.add(b"%d" % number, gap=10**6)
    await rig.start()
    await asyncio.sleep(60)
    await rig.stop()
    assert len(rig.published) == len(set(rig.published)) == 1_450


@virtual
async def test_a_stop_does_not_wait_for_what_no_map_covers() -> None:
    """It is the next owner's; nothing of it was said to be finished."""

    async def last_only(work: Work) -> Verdict:
        if work.record.offset < 10**6 * 1_400:
            return Retry(1_000)
        return await at_once(work)

    rig = Rig(last_only, in_flight=2_000)
    for number in range(1_450):
        rig.add(b"%d" % number, gap=10**6)
    await rig.start()
    await asyncio.sleep(10)
    await rig.stop()
    assert rig.published == []
    assert decode(rig.committed).highest <= 10**6 * 1_401


@virtual
async def test_tries_of_the_last_moment_are_committed_by_a_stop() -> None:
    """The next owner counts on also when the stop came first."""

    async def slow_retry(work: Work) -> Verdict:
        await asyncio.sleep(1)
        work.tries = 1
        return Retry(100)

    rig = Rig(slow_retry)
    rig.add(b"a")
    await rig.start()
    await rig.stop(drain_s=5)
    assert decode(rig.committed).outstanding == {0: 1}


@virtual
async def test_a_halted_partition_stays_halted_through_a_rebalance() -> None:
    """Only a new owner, or a restart, may try again."""
    rig = Rig()
    rig.log.committed[HERE] = Committed(4, "9future")
    await rig.start()
    rig.assign(HERE)
    assert rig.session.state is SessionState.HALTED
    await rig.stop()


@pytest.mark.parametrize("state", ["halted", "draining"])
@virtual
async def test_a_session_of_a_revoked_partition_never_fences_its_next_owner(state: str) -> None:
    """Whatever it is doing when the partition is taken away."""

    async def slow(work: Work) -> Verdict:
        await asyncio.sleep(2)
        return await at_once(work)

    rig = Rig(slow, reopen_s=1)
    rig.add(b"a")
    await rig.start()
    assert rig.started == [0]
    if state == "halted":
        rig.engine.halt(HERE, "for a test")
    else:
        rig.session.drain()
    rig.engine.revoke([HERE])
    rig.commit_troubles = [(Fenced("newer"), 0)]
    await asyncio.sleep(10)
    assert rig.commit_troubles == []
    assert len(rig.opens) == 1
    await rig.stop(0)


@virtual
async def test_a_stop_during_a_back_off_still_commits_what_is_finished() -> None:
    """The log is well again; nobody knows because nobody asks."""
    rig = Rig(reopen_s=60)
    rig.add(b"a")
    rig.commit_troubles = [(Fenced("newer"), 0)]
    await rig.start()
    assert rig.published == []
    await rig.stop()
    assert rig.published == [b"0"]


class SlowWriter(TroubledWriter):
    """Its log takes 20 ms an output, and ends a transaction after ten seconds."""

    sizes: list[int]

    async def commit(self, outputs: Sequence[Output], committed: Committed) -> None:
        """Commit, or take too long for it."""
        self.sizes.append(len(outputs))
        needed_s = len(outputs) * 0.02 + sum(len(o.value or b"") for o in outputs) / 2**18
        await asyncio.sleep(min(needed_s, 10))
        if needed_s > 10:
            msg = "the transaction timed out"
            raise Fenced(msg)
        await super().commit(outputs, committed)


@pytest.mark.parametrize(("outputs", "size"), [(5, 10), (1, 2**17)], ids=["many", "large"])
@virtual
async def test_a_transaction_that_takes_too_long_is_followed_by_smaller_ones(
    outputs: int, size: int
) -> None:
    """Else the same one would be tried, and would fail, for ever."""
    sizes: list[int] = []

    async def several(work: Work) -> Verdict:
        return Done([Output(OUT, b"k", b"x" * size)] * outputs)

    rig = Rig(several)

    def slow(partition: Partition) -> SlowWriter:
        writer = SlowWriter(rig, partition)
        writer.sizes = sizes
        return writer

    rig.engine._writers = slow
    rig.add(*(b"%d" % n for n in range(1_000)))
    await rig.start()
    await asyncio.sleep(1_500)
    assert len(rig.published) == 1_000 * outputs
    assert rig.committed == Committed(1_000)
    assert len(sizes) < 200
    await rig.stop()


@virtual
async def test_a_suspect_that_no_map_covers_keeps_back_nobody_else() -> None:
    """Alone in its transaction it leaves all others in the map, which has no room for them."""
    hold = asyncio.Event()

    async def last_first(work: Work) -> Verdict:
        number = work.record.offset // 10**6
        if number <= 1_448:
            await hold.wait()
            return await at_once(work)
        return Done([large(Output(OUT, b"k", b"%d" % number))])

    rig = Rig(last_first, in_flight=2_000)
    rig.log.max_output_bytes = 100
    for number in range(1_450):
        rig.add(b"%d" % number, gap=10**6)
    await rig.start()
    hold.set()
    await asyncio.sleep(60)
    assert len(rig.published) == len(set(rig.published)) == 1_450
    await rig.stop()
