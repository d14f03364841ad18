"""The offset map: what is committed can be read back, fits, and never forgets."""

import base64
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jiraiya_events.engine.errors import ProgressUnreadable
from jiraiya_events.engine.offset_map import MAX_CHARS, Progress, decode, encode
from jiraiya_events.engine.records import Committed

gaps = st.lists(st.integers(1, 400), max_size=2_500)


@st.composite
def progresses(draw: st.DrawFn) -> Progress:
    """Draw any frontier, distances and tries."""
    first = draw(st.integers(0, 2**50))
    offsets = list(accumulate(draw(gaps), initial=first))[1:]
    most = draw(st.sampled_from([0, 1, 3, 200]))
    tries = {offset: (offset * 7919) % (most + 1) for offset in offsets}
    return Progress(max(offsets, default=first) + draw(st.integers(1, 10**6)), tries)


@given(progresses())
@settings(max_examples=60)
def test_any_map_fits_and_says_the_truth_up_to_where_it_covers(progress: Progress) -> None:
    """A prefix of the offsets comes back exactly; tries come back or are left out."""
    committed, covered = encode(progress)
    read = decode(committed)
    assert len(committed.metadata) <= MAX_CHARS
    assert read.highest == covered <= progress.highest
    assert list(read.outstanding) == [o for o in progress.outstanding if o < covered]
    for offset, tries in read.outstanding.items():
        assert tries in {0, progress.outstanding[offset]}
    if len(progress.outstanding) < 500:
        assert read == progress


@given(progresses(), st.randoms(use_true_random=False), st.integers(0, 9))
@settings(max_examples=60)
def test_what_a_map_covered_stays_covered(progress: Progress, rng: object, tries: int) -> None:
    """Finishing some, trying others more often and reading on forget nothing committed."""
    _, covered = encode(progress)
    left = [o for o in progress.outstanding if rng.random() < 0.8]  # type: ignore[attr-defined]
    later = dict.fromkeys(left, tries) | dict.fromkeys(
        range(progress.highest, progress.highest + 700), 0
    )
    assert encode(Progress(progress.highest + 700, later))[1] >= covered


def test_tries_give_way_before_offsets_do() -> None:
    """1,500 waiting records that all failed once are still all in the map."""
    progress = Progress(3_000, dict.fromkeys(range(0, 3_000, 2), 1))
    committed, covered = encode(progress)
    assert covered == 3_000
    assert list(decode(committed).outstanding) == list(progress.outstanding)


@given(st.text(max_size=60), st.integers(0, 10**9))
def test_foreign_metadata_is_refused_or_read_but_never_crashes(text: str, offset: int) -> None:
    """Whatever stands there, the answer is a progress or `ProgressUnreadable`."""
    for metadata in (text, "1" + text):
        try:
            progress = decode(Committed(offset, metadata))
        except ProgressUnreadable:
            continue
        assert progress.highest >= progress.frontier


@given(progresses(), st.integers(1, 3_999))
@settings(max_examples=40)
def test_a_cut_off_map_is_never_taken_for_a_longer_one(progress: Progress, length: int) -> None:
    """A damaged map may lose tries, never an outstanding offset."""
    committed, _ = encode(progress)
    cut = Committed(committed.offset, committed.metadata[:length])
    try:
        read = decode(cut)
    except ProgressUnreadable:
        return
    assert set(read.outstanding) == set(decode(committed).outstanding)


@pytest.mark.parametrize("metadata", ["2abc", "x"])
def test_an_unknown_version_stops_the_partition(metadata: str) -> None:
    """A newer release's map must not be taken for nothing."""
    with pytest.raises(ProgressUnreadable, match="unknown version"):
        decode(Committed(5, metadata))


@pytest.mark.parametrize("metadata", ["1", "1~", "1é", "1" + "0" * 5, "1zzzz"])
def test_a_damaged_map_stops_the_partition(metadata: str) -> None:
    """Nothing, bytes cut short, foreign letters, impossible numbers."""
    with pytest.raises(ProgressUnreadable, match="damaged"):
        decode(Committed(5, metadata))


def packed(*numbers: int) -> str:
    """Make a map of small numbers."""
    return "1" + base64.b85encode(bytes(numbers)).decode()


@pytest.mark.parametrize("numbers", [(2, 1, 5), (9, 0, 3, 1), (9, 0, 0), (9, 2, 0)])
def test_an_impossible_map_stops_the_partition(numbers: tuple[int, ...]) -> None:
    """Offsets beyond the highest, tries of none of them, too few numbers."""
    with pytest.raises(ProgressUnreadable, match="damaged"):
        decode(Committed(5, packed(*numbers)))


def test_far_apart_offsets_are_covered_as_far_as_they_fit() -> None:
    """3 bytes each: about a thousand, and the rest counts as not read."""
    progress = Progress(10**9, dict.fromkeys(range(0, 1_500 * 10**5, 10**5), 4))
    committed, covered = encode(progress)
    assert 3_900 < len(committed.metadata) <= MAX_CHARS
    assert 1_000 * 10**5 < covered < 1_100 * 10**5
    assert decode(committed).highest == covered


@pytest.mark.parametrize("stuck_s", [1, 10, 60])
def test_a_stuck_head_costs_a_few_characters(stuck_s: int) -> None:
    """100 records a second with all other keys done: the map does not grow with time."""
    rate = 100
    highest = 10**9 + stuck_s * rate
    waiting = {10**9: 1} | dict.fromkeys(range(highest - 30, highest), 0)
    committed, covered = encode(Progress(highest, waiting))
    assert covered == highest
    assert len(committed.metadata) <= 60


@pytest.mark.parametrize("metadata", ["", "\0"])
def test_metadata_that_says_nothing_means_nothing_is_finished_beyond(metadata: str) -> None:
    """Also the zero byte that some clients write for empty metadata."""
    assert decode(Committed(7, metadata)) == Progress(7)


def test_progress_with_nothing_outstanding_is_a_plain_offset() -> None:
    """And no commit at all is offset 0."""
    assert encode(Progress(5)) == (Committed(5, ""), 5)
    assert decode(Committed(None)) == Progress(0)
