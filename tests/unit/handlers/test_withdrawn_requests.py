"""What a withdrawn request ends with, and what its id stands for afterwards."""

import asyncio
from typing import Any

import pytest

from jiraiya_events.engine.verdicts import Done, Work
from jiraiya_events.handlers.cancellations import Cancel, key_of
from tests.unit.engine.rig import virtual
from tests.unit.handlers.replicas import CLOCK, DOWN, Replica, SlowModel, now, record, shared

MESSAGE = "The request was withdrawn."


def withdraw(replica: Replica, id_: str = "r-1") -> None:
    """Let the replica read a cancel that is published now."""
    cancel = Cancel(key_of("/unknown", id_), round(CLOCK.now() * 1000), MESSAGE)
    replica.cancellations.note(cancel, CLOCK.now())


def told(body: dict[str, Any]) -> tuple[Any, ...]:
    """Return what of a failure matters here."""
    error = body["error"]
    assert (error["code"], error["message"]) == ("cancelled", MESSAGE)
    assert (error["retryable"], error["retry_after_ms"]) == (False, None)
    return error["stage"], body["tries"], body["billed"], body["dead_lettered"]


@virtual
async def test_a_cancel_that_comes_first_ends_its_request_without_a_call() -> None:
    """And the same id again gets the same end, from whichever replica."""
    store, model = shared(), SlowModel(1)
    replica = Replica(store, model)
    withdraw(replica)
    first = await replica.serve(record())
    again = await Replica(store, model).serve(record(8))
    assert told(first[1]) == ("admit", 0, False, False)
    assert (again, model.called_at) == (first, [])


@virtual
async def test_a_cancel_during_the_call_ends_the_request_at_once() -> None:
    """Whether the provider charges for it cannot be known."""
    replica = Replica(store := shared(), model := SlowModel(100))
    serving = asyncio.create_task(replica.serve(record()))
    await asyncio.sleep(3)
    withdraw(replica)
    first = await serving
    assert told(first[1]) == ("generate", 1, None, False)
    assert now() == 3
    assert await Replica(store, model).serve(record(8)) == first
    assert model.called_at == [0]


@virtual
async def test_a_cancel_between_two_tries_ends_the_request_in_its_next_turn() -> None:
    """The failed call stays told; no further one is made."""
    replica = Replica(shared(), model := SlowModel(0, [DOWN]))
    serving = asyncio.create_task(replica.serve(record()))
    await asyncio.sleep(0.1)
    withdraw(replica)
    assert told((await serving)[1]) == ("generate", 1, False, False)
    assert len(model.called_at) == 1


@virtual
async def test_who_waits_for_anothers_call_publishes_how_that_was_cut() -> None:
    """One replica calls, the other waits for it; the cancel comes to both."""
    store, model = shared(), SlowModel(100)
    one, two = Replica(store, model), Replica(store, model)
    serving = asyncio.gather(one.serve(record()), two.serve(record()))
    await asyncio.sleep(3)
    withdraw(two)
    withdraw(one)
    first, second = await serving
    assert first == second
    assert told(first[1]) == ("generate", 1, None, False)
    assert now() < 3.5


@virtual
async def test_a_cancel_after_the_end_changes_nothing() -> None:
    """The id goes on standing for its story."""
    replica = Replica(shared(), model := SlowModel(1))
    first = await replica.serve(record())
    withdraw(replica)
    again = await replica.serve(record(8))
    assert again[1]["story"] == first[1]["story"]
    assert len(model.called_at) == 1


@pytest.mark.parametrize("before", [True, False])
@virtual
async def test_a_replay_outlives_the_cancels_before_it(before: bool) -> None:  # noqa: FBT001
    """One that was published after it withdraws it, and an operator gets the letter back."""
    replica = Replica(shared(), SlowModel(5))
    withdraw(replica)
    await asyncio.sleep(1)
    replay = record()
    replay.headers = (("x-replay-count", b"1"),)
    serving = asyncio.create_task(replica.serve(replay))
    await asyncio.sleep(1)
    if before:
        assert (await serving)[1]["attempt"] == 2
        return
    withdraw(replica)
    assert told((await serving)[1]) == ("generate", 1, None, True)


@virtual
async def test_a_request_that_cannot_be_read_ends_as_that() -> None:
    """Its bytes are an operator's business, withdrawn or not."""
    replica = Replica(shared(), SlowModel(1))
    withdraw(replica)
    verdict = await replica.handler.handle(Work(record(keywords=[]), 0.0))
    assert isinstance(verdict, Done)
    assert b'"invalid_event"' in (verdict.outputs[0].value or b"")
