"""A store that was down and is back: what was done meanwhile counts as if it had been there."""

import json

from jiraiya_events.adapters.limits.memory_spending import MemorySpending
from jiraiya_events.domain.errors import StoreUnavailable
from jiraiya_events.domain.identity import RequestIdentity
from jiraiya_events.generation.budgets import SERVICE, Budgets
from tests.unit.engine.rig import virtual
from tests.unit.handlers.replicas import (
    ID,
    STORY,
    FailingStore,
    Replica,
    SlowModel,
    print_,
    record,
    shared,
)

DOWN = ("look_up", "save_answer", "save_outcome", "renew", "release")
OTHER = json.dumps({"title": "The Bear", "content": "bear " * 200})


@virtual
async def test_a_request_of_the_outage_is_paid_for_once_and_has_one_story() -> None:
    store, model = FailingStore(*DOWN), SlowModel(1.0, [STORY, OTHER])
    replica = Replica(store, model)
    first = await replica.serve(record(1))
    store.mended = True
    await replica.backlog.catch_up()
    again = await replica.serve(record(2))
    assert len(model.called_at) == 1
    assert (again[0], again[1]["story"]) == (first[0], first[1]["story"])
    assert again[1]["source"] == "result_store"


@virtual
async def test_an_answer_paid_for_in_the_outage_serves_a_replay() -> None:
    store = FailingStore(*DOWN)
    replica = Replica(store, SlowModel(1.0))
    await replica.serve(record(1))
    store.mended = True
    await replica.backlog.catch_up()
    replay = RequestIdentity(ID.source, ID.id, 2)
    assert (await store.look_up(replay, print_(), "ann")).answer is not None


@virtual
async def test_what_another_replica_stored_first_stays() -> None:
    """A late outcome is no reason to change what an event id stands for."""
    store = FailingStore(*DOWN)
    one, two = Replica(store, SlowModel(1.0)), Replica(store, SlowModel(1.0, [OTHER]))
    await one.serve(record(1))
    store.mended = True
    counts = await two.serve(record(2))
    await one.backlog.catch_up()
    again = await two.serve(record(3))
    assert again[1]["story"] == counts[1]["story"]


class Flickering(MemorySpending):
    """Keeps reservations, and is away when they are settled."""

    away = True

    async def settle(self, *arguments: object) -> None:
        """Fail while it is away."""
        if self.away:
            raise StoreUnavailable("gone")
        await super().settle(*arguments)  # type: ignore[arg-type]


@virtual
async def test_a_reservation_the_outage_left_behind_becomes_what_the_call_did_cost() -> None:
    spending = Flickering(Budgets(service_daily_pico=10**9))
    replica = Replica(shared(), SlowModel(1.0), spending=spending)
    await replica.serve(record(1))
    day = next(iter(spending._days.values()))
    assert day.sums[SERVICE] > 1000
    spending.away = False
    await replica.backlog.catch_up()
    assert day.sums[SERVICE] == 30
