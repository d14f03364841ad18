"""Replicas that share a store make one call for a request, in virtual time."""

import asyncio

import pytest

from jiraiya_events.domain.story import Usage
from jiraiya_events.engine.verdicts import Retry, Work
from jiraiya_events.generation.faults import Fault, FaultKind
from jiraiya_events.generation.leases import LEASE_S, RENEW_EVERY_S
from jiraiya_events.generation.paid import PaidAnswer
from jiraiya_events.generation.prompt import AnswerForm
from tests.unit.engine.rig import virtual
from tests.unit.handlers.replicas import (
    DOWN,
    ID,
    NO_STORY,
    STORY,
    FailingStore,
    Replica,
    SlowModel,
    leave_a_lease,
    now,
    print_,
    record,
    shared,
)


@virtual
async def test_two_replicas_with_one_request_make_one_call() -> None:
    """The second publishes the first's story, however long the call outlasts a lease."""
    store, model = shared(), SlowModel(5 * LEASE_S)
    one, two = Replica(store, model), Replica(store, model)
    first, second = await asyncio.gather(one.serve(record()), two.serve(record()))
    assert model.called_at == [0]
    assert now() < 5 * LEASE_S + 0.5
    assert first[0] == second[0]
    assert [first[1]["source"], second[1]["source"]] == ["model", "result_store"]
    assert first[1]["story"] == second[1]["story"]


@virtual
async def test_one_replica_with_the_same_id_twice_makes_one_call() -> None:
    """Side by side under different keys, the second waits as if it were elsewhere."""
    replica = Replica(shared(), model := SlowModel(1))
    await asyncio.gather(replica.serve(record(7)), replica.serve(record(8)))
    assert len(model.called_at) == 1


@virtual
async def test_who_waits_for_a_lease_keeps_no_slot_and_uses_no_try() -> None:
    """Its turn ends at once, and it is asked again soon."""
    store = shared()
    await leave_a_lease(store)
    work = Work(record(), 0.0)
    assert await Replica(store, SlowModel(1)).handler.handle(work) == Retry(0.3)
    assert (work.tries, now()) == (0, 0)


@virtual
async def test_a_crashed_owners_lease_runs_out() -> None:
    """Who finds it waits for that long, then calls, and its tries count from one."""
    store, model = shared(), SlowModel(1)
    await leave_a_lease(store)
    _, story = await Replica(store, model).serve(record())
    assert LEASE_S <= model.called_at[0] < LEASE_S + 0.5
    assert (story["source"], story["tries"]) == ("model", 1)


@virtual
async def test_an_answer_a_crashed_owner_paid_for_is_used_once_its_lease_ran_out() -> None:
    """Between the answer and the outcome nothing is lost but time."""
    store = shared()
    await leave_a_lease(store)
    answer = PaidAnswer(
        text=STORY,
        form=AnswerForm.JSON,
        finish_reason="stop",
        refusal=None,
        model="some",
        provider="openai",
        prompt_version="story.v1",
        attempt=1,
        calls=1,
        usage=Usage(input_tokens=10),
        cost_pico_usd=10,
    )
    await store.save_answer(ID, print_(), "ann", answer)
    _, story = await Replica(store, model := SlowModel(1)).serve(record())
    assert (story["source"], model.called_at) == ("result_store", [])
    assert LEASE_S <= now() < LEASE_S + 0.5


@virtual
async def test_a_cancelled_call_gives_its_lease_back() -> None:
    """After a drain the next owner need not wait for the lease to end."""
    store, model = shared(), SlowModel(100)
    cut = asyncio.create_task(Replica(store, model).serve(record()))
    waiting = asyncio.create_task(Replica(store, model).serve(record()))
    await asyncio.sleep(1)
    assert len(model.called_at) == 1
    cut.cancel()
    await waiting
    assert 1 < model.called_at[1] < 1.5


@virtual
@pytest.mark.parametrize("began", [False, True])
async def test_whether_a_cut_call_was_billed_is_unknown_to_the_next_owner(*, began: bool) -> None:
    """A cost of zero would say that it was not; where nobody began, nothing was charged."""
    store = shared()
    if began:
        cut = asyncio.create_task(Replica(store, SlowModel(100)).serve(record()))
        await asyncio.sleep(1)
        cut.cancel()
        await asyncio.gather(cut, return_exceptions=True)
    too_long = Fault(FaultKind.HTTP, status=400, provider_code="context_length_exceeded")
    _, failed = await Replica(store, SlowModel(0, [too_long])).serve(record())
    assert failed["error"]["code"] == "context_too_long"
    assert failed["billed"] is (None if began else False)
    assert failed["cost"] == (None if began else {"amount": "0.0", "currency": "USD"})


@virtual
async def test_between_two_tries_the_lease_is_free() -> None:
    """An owner that waits in its lane for a retry holds up nobody, and finds what was done."""
    store = shared()
    one, two = Replica(store, failing := SlowModel(0, [DOWN])), Replica(store, SlowModel(0.1))
    first = asyncio.create_task(one.serve(record()))
    await asyncio.sleep(0.1)
    _, story = await two.serve(record())
    assert (story["source"], len(failing.called_at)) == ("model", 1)
    assert (await first)[1]["source"] == "result_store"
    assert len(failing.called_at) == 1


@virtual
async def test_ones_own_rejected_answer_is_not_judged_again() -> None:
    """The look-up of the second turn finds what the first has paid for and refused."""
    replica = Replica(shared(), SlowModel(0, [NO_STORY, STORY]))
    _, story = await replica.serve(record())
    assert (story["source"], story["tries"]) == ("model", 2)
    assert story["usage"]["output_tokens"] == 40


@virtual
async def test_a_deadline_passes_while_another_call_is_under_way() -> None:
    """The deadline wins to the second; nothing was tried here, and the bill is in doubt."""
    store, model = shared(), SlowModel(30)
    slow = asyncio.create_task(Replica(store, model).serve(record()))
    await asyncio.sleep(0)
    _, failure = await Replica(store, model).serve(record(8, timeout_ms=5_000))
    assert now() == pytest.approx(5)
    assert failure["error"]["code"] == "deadline_exceeded"
    assert (failure["error"]["stage"], failure["dead_lettered"]) == ("generate", False)
    assert (failure["tries"], failure["billed"]) == (0, None)
    assert len(model.called_at) == 1
    # What was published first under this id stays what the id stands for.
    assert (await slow)[1] == failure


@virtual
async def test_a_store_that_is_down_costs_no_request() -> None:
    """Without leases both call, as they would without a store."""
    store = FailingStore("look_up", "save_answer", "save_outcome", "renew", "release")
    model = SlowModel(5)
    one, two = Replica(store, model), Replica(store, model)
    events = await asyncio.gather(one.serve(record()), two.serve(record()))
    assert [event["source"] for _, event in events] == ["model", "model"]
    assert (model.called_at, now()) == ([0, 0], 5)
    assert one.notes.failed == ["look_up", "save_answer", "save_outcome"]


@virtual
async def test_a_call_goes_on_when_its_lease_cannot_be_renewed() -> None:
    """The story is delivered, and the store's failure is told as no request's own."""
    replica = Replica(FailingStore("renew"), SlowModel(7))
    _, story = await replica.serve(record())
    assert (story["source"], replica.notes.failed) == ("model", ["renew", "renew"])
    assert replica.notes.told_by == {"nobody"}


@virtual
async def test_a_lease_that_could_not_be_given_back_does_not_hold_up_its_own_record() -> None:
    """The next try comes when the lane says, not when the lease has run out."""
    replica = Replica(FailingStore("release"), model := SlowModel(0, [DOWN, STORY]))
    _, story = await replica.serve(record())
    assert (story["tries"], model.called_at) == (2, [0, 0.5])
    assert replica.notes.failed == ["release"]


@virtual
async def test_nothing_renews_when_nothing_runs() -> None:
    """The task ends by itself, and starts again with the next call."""
    replica = Replica(shared(), model := SlowModel(2 * LEASE_S))
    for number in range(2):
        await replica.serve(record(number, request_id=f"r-{number}"))
        await asyncio.sleep(RENEW_EVERY_S + 0.1)
        assert asyncio.all_tasks() == {asyncio.current_task()}
    assert len(model.called_at) == 2
