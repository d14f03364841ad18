"""What is told of the store's health: by its uses, and while nobody uses it."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from structlog.testing import capture_logs

from jiraiya_events.adapters.store.memory import MemoryStore
from jiraiya_events.adapters.telemetry.metrics import Metrics, new_registry
from jiraiya_events.bootstrap.observers import CallEvents
from jiraiya_events.bootstrap.store_watch import EVERY_S, StoreWatch
from jiraiya_events.domain.errors import StoreUnavailable
from jiraiya_events.generation.backlog import Backlog
from jiraiya_events.testing.virtual_time import LoopClock
from tests.unit.engine.rig import virtual

BEAT_S = EVERY_S + 0.1


class Store(MemoryStore):
    """A store that may be away."""

    away = False
    bug: Exception | None = None

    async def ping(self) -> None:
        """Raise while it is away."""
        if self.bug is not None:
            raise self.bug
        if self.away:
            message = "gone"
            raise StoreUnavailable(message)


class Rig:
    """A watched store, and what is told of it."""

    def __init__(self) -> None:
        self.store = Store(1000.0, LoopClock())
        self.calls = CallEvents(Metrics(new_registry(), version="0"))
        self.backlog = Backlog(self.calls)
        self.watch = StoreWatch(self.store, self.calls, self.backlog)


def levels(lines: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return how loud each line was."""
    return [line["log_level"] for line in lines]


@virtual
async def test_an_idle_service_notices_that_the_store_went_and_came_back() -> None:
    rig = Rig()
    rig.watch.start()
    await asyncio.sleep(BEAT_S)
    assert rig.calls.store_error is None
    with capture_logs() as lines:
        told: list[str | None] = []
        for away in (True, False):
            rig.store.away = away
            await asyncio.sleep(3 * BEAT_S)
            told.append(rig.calls.store_error)
        heard = rig.watch.heard
    assert told == ["gone", None]
    assert levels(lines) == ["error", "warning"]
    assert heard is not None
    assert asyncio.get_running_loop().time() - heard.at_s <= EVERY_S
    await rig.watch.stop()


@virtual
async def test_a_store_that_is_away_from_the_start_is_told_before_any_request() -> None:
    rig = Rig()
    rig.store.away = True
    rig.watch.start()
    await asyncio.sleep(0.1)
    assert rig.calls.store_error == "gone"
    await rig.watch.stop()


@virtual
async def test_what_failed_in_the_last_request_is_not_told_for_ever() -> None:
    """No further request comes that could find it mended."""
    rig = Rig()
    rig.watch.start()
    for operation in ("look_up", "save_outcome", "settle", "limit", "cache"):
        rig.calls.store_failed(operation, "cut")
    await asyncio.sleep(3 * BEAT_S)
    assert rig.calls.store_error is None
    await rig.watch.stop()


@virtual
async def test_what_goes_on_failing_is_not_mended_by_pings_that_work() -> None:
    """A right may be missing for it alone: one line, however long it lasts."""
    rig = Rig()
    rig.watch.start()
    with capture_logs() as lines:
        for _ in range(100):
            rig.calls.store_failed("save_answer", "not allowed")
            await asyncio.sleep(EVERY_S - 1)
            assert rig.calls.store_error == "not allowed"
    assert levels(lines) == ["error"]
    await rig.watch.stop()


@virtual
async def test_the_watch_outlives_whatever_a_store_runs_into() -> None:
    """Else nobody would notice from then on that it went, or came back."""
    rig = Rig()
    rig.store.bug = RuntimeError("a bug")
    rig.watch.start()
    with capture_logs() as lines:
        await asyncio.sleep(1)
        rig.store.bug = None
        rig.store.away = True
        await asyncio.sleep(BEAT_S)
    assert rig.calls.store_error == "gone"
    assert levels(lines) == ["error", "error"]
    await rig.watch.stop()


@virtual
async def test_a_stopped_watch_asks_no_more() -> None:
    rig = Rig()
    rig.watch.start()
    await asyncio.sleep(BEAT_S)
    await rig.watch.stop()
    rig.store.away = True
    await asyncio.sleep(3 * BEAT_S)
    assert rig.calls.store_error is None


@virtual
async def test_what_could_not_be_saved_is_sent_with_the_ping_that_works_again() -> None:
    rig = Rig()
    rig.store.away = True
    rig.watch.start()
    await rig.backlog.save("save_outcome", "r-1", rig.store.ping)
    assert rig.backlog.waiting
    await asyncio.sleep(3 * BEAT_S)
    rig.store.away = False
    await asyncio.sleep(BEAT_S)
    assert not rig.backlog.waiting
    assert rig.calls.store_error is None
    await rig.watch.stop()


@virtual
async def test_a_service_that_stops_sends_what_is_left() -> None:
    """The store may have come back since the last ping."""
    rig = Rig()
    rig.store.away = True
    rig.watch.start()
    await rig.backlog.save("save_outcome", "r-1", rig.store.ping)
    await asyncio.sleep(0)
    rig.store.away = False
    await rig.watch.stop()
    assert not rig.backlog.waiting


def test_each_use_of_the_store_that_is_back_is_told() -> None:
    """Whoever writes the log leaves out what was said a moment ago in the same words."""
    calls = Rig().calls
    operations = ("look_up", "reserve", "limit", "cache")
    with capture_logs() as lines:
        for operation in operations:
            calls.store_failed(operation, "gone")
        for operation in operations:
            calls.store_answered(operation)
    back = [line["event"] for line in lines if line["log_level"] == "warning"]
    assert len(set(back)) == len(operations)
    assert all("the store is back" in event for event in back)


def test_a_backlog_that_is_full_is_told_once() -> None:
    calls = Rig().calls
    with capture_logs() as lines:
        calls.backlog_full(5)
    assert levels(lines) == ["error"]


def test_a_store_that_reads_but_cannot_write_is_told_once() -> None:
    """It is back when something was saved."""
    calls = Rig().calls
    with capture_logs() as lines:
        for _ in range(10):
            calls.store_looked_up("miss")
            calls.store_failed("save_answer", "a replica")
            calls.store_failed("save_outcome", "a replica")
        assert levels(lines) == ["error"]
        calls.store_answered("save_outcome")
    assert levels(lines) == ["error", "warning"]
    assert calls.store_error is None


def test_an_outage_that_reading_and_writing_notice_is_told_once() -> None:
    calls = Rig().calls
    with capture_logs() as lines:
        calls.store_failed("look_up", "gone")
        calls.store_failed("save_outcome", "gone")
        calls.store_looked_up("miss")
        assert calls.store_error == "gone"
        calls.store_answered("save_outcome")
    assert levels(lines) == ["error", "warning"]


def test_a_success_of_saving_says_what_the_next_ping_would() -> None:
    calls = Rig().calls
    with capture_logs() as lines:
        for operation in ("ping", "save_outcome"):
            calls.store_failed(operation, "gone")
        calls.store_answered("save_outcome")
    assert calls.store_error is None
    assert levels(lines) == ["error", "warning"]


def test_each_use_of_the_store_fails_and_comes_back_by_itself() -> None:
    calls = Rig().calls
    with capture_logs() as lines:
        calls.store_failed("cache", "not allowed")
        calls.store_looked_up("hit")
        assert calls.store_error == "not allowed"
        calls.store_failed("reserve", "not allowed")
        calls.store_answered("cache")
        assert calls.store_error == "not allowed"
        calls.store_answered("reserve")
    assert levels(lines) == ["error", "error", "warning", "warning"]
    assert calls.store_error is None
