"""What is remembered, whom it concerns, and what is forgotten."""

import json
import sys
from typing import Any

from jiraiya_events.contract.envelope import Envelope, read_envelope
from jiraiya_events.engine.records import Record
from jiraiya_events.handlers.cancellations import (
    REMEMBERED_AT_MOST,
    REMEMBERED_S,
    Cancel,
    Cancellations,
    Watched,
    key_of,
)

NOW = 1_800_000_000.0


def cancel(id_: str = "r-1", *, at_ms: int = 1_000, source: str = "/unknown") -> Cancel:
    """Return a cancel."""
    return Cancel(key_of(source, id_), at_ms, f"Gone at {at_ms}.")


def request(id_: str = "r-1", *, at_ms: int = 500, offset: int = 7, **headers: str) -> Record:
    """Return a request's record, a replay with `x_replay_count`."""
    value = json.dumps({"request_id": id_, "user_id": "u", "keywords": ["k"]}).encode()
    wire = [(name.replace("x_replay_", "x-replay-"), t.encode()) for name, t in headers.items()]
    return Record("story.requested", 0, offset, at_ms, b"u", value, wire)


def envelope(record: Record) -> Envelope:
    """Read it."""
    return read_envelope(record, max_event_bytes=10_000)


def watch(here: Cancellations, record: Record, now: float = NOW) -> Watched:
    """Give the record its first turn."""
    return here.watch(envelope(record), record, now)


class Woken(Cancellations):
    """Remembers who was woken."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.offsets: list[int] = []
        self.wake = lambda record: self.offsets.append(record.offset)


def test_a_cancel_that_comes_first_is_remembered_for_its_request() -> None:
    """Whichever was published first: the order of two topics says nothing."""
    for at_ms in (500, 5_000):
        here = Cancellations()
        here.note(cancel(), NOW)
        assert watch(here, request(at_ms=at_ms)).withdrawal.message == "Gone at 1000."


def test_a_cancel_finds_the_request_that_has_had_a_turn_and_wakes_it() -> None:
    here = Woken()
    mine, other = watch(here, request()), watch(here, request("r-2", offset=8))
    here.note(cancel(), NOW)
    assert (mine.withdrawal.message, other.withdrawal.message) == ("Gone at 1000.", None)
    assert here.offsets == [7]


def test_every_request_of_a_source_and_id_hears_of_it() -> None:
    """A resend under another offset is the same wish."""
    here = Woken()
    both = [watch(here, request(offset=offset)) for offset in (7, 9)]
    here.note(cancel(), NOW)
    assert all(one.withdrawal.message for one in both)
    assert sorted(here.offsets) == [7, 9]


def test_another_source_is_another_request() -> None:
    here = Woken()
    mine = watch(here, request(ce_source="/shop"))
    here.note(cancel(), NOW)
    assert mine.withdrawal.message is None
    here.note(cancel(source="/shop"), NOW)
    assert mine.withdrawal.message is not None


def test_a_replay_is_withdrawn_only_by_a_cancel_that_was_published_after_it() -> None:
    """An operator who replays has decided later than whoever cancelled before."""
    here = Woken()
    here.note(cancel(at_ms=1_000), NOW)
    replay = watch(here, request(at_ms=1_001, x_replay_count="1"))
    assert replay.withdrawal.message is None
    here.note(cancel(at_ms=1_000), NOW)
    assert replay.withdrawal.message is None
    assert here.offsets == []
    here.note(cancel(at_ms=1_001), NOW)
    assert replay.withdrawal.message == "Gone at 1001."


def test_of_several_cancels_of_a_request_the_latest_published_counts() -> None:
    """They may come from several partitions, in any order."""
    here = Cancellations()
    here.note(cancel(at_ms=2_000), NOW)
    here.note(cancel(at_ms=1_000), NOW)
    assert here.remembered == 1
    assert watch(here, request(at_ms=1_500, x_replay_count="1")).withdrawal.message is not None


def test_a_cancel_is_forgotten_after_the_longest_deadline() -> None:
    here = Cancellations()
    here.note(cancel(), NOW)
    last = watch(here, request(), NOW + REMEMBERED_S - 0.001)
    gone = watch(here, request(), NOW + REMEMBERED_S)
    assert (last.withdrawal.message is None, gone.withdrawal.message is None) == (False, True)
    here.note(cancel("r-2"), NOW + REMEMBERED_S)
    assert (here.remembered, here.forgotten) == (1, 0)


def test_a_cancel_that_is_repeated_is_remembered_from_then_on() -> None:
    here = Cancellations()
    here.note(cancel(), NOW)
    here.note(cancel("r-2"), NOW + 1)
    here.note(cancel(), NOW + 2)
    here.note(cancel("r-3"), NOW + REMEMBERED_S + 1)
    assert watch(here, request(), NOW + REMEMBERED_S + 1).withdrawal.message is not None
    assert here.remembered == 2


def test_beyond_the_bound_the_oldest_are_given_up_and_counted() -> None:
    """Only for requests still to come: one that was told stays withdrawn."""
    here = Cancellations(at_most=3)
    told = watch(here, request("r-0"))
    for number in range(5):
        here.note(cancel(f"r-{number}"), NOW + number)
    assert (here.remembered, here.forgotten) == (3, 2)
    seen = [watch(here, request(f"r-{n}")).withdrawal.message is not None for n in range(5)]
    assert seen == [False, False, True, True, True]
    assert told.withdrawal.message is not None


def test_a_request_that_is_over_leaves_nothing_behind() -> None:
    """Nor does one that was dropped with its partition: nobody has to say so."""
    here = Woken()
    watched = watch(here, request())
    beside = watch(here, request(offset=8))
    del watched
    here.note(cancel(), NOW)
    assert here.offsets == [8]
    del beside
    assert len(here._here) == 0


def test_what_is_remembered_takes_the_same_room_however_long_the_names_are() -> None:
    """The bound is one on memory: sources and ids are kept as digests."""
    here = Cancellations()
    here.note(cancel("r" * 128, source="/" * 1_024), NOW)
    (name,) = here._remembered
    assert sys.getsizeof(name) < 64
    assert REMEMBERED_AT_MOST == 100_000
