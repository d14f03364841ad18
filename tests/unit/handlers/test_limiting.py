"""How often a user may ask, as the requester hears of it."""

import asyncio
from typing import Any

from jiraiya_events.domain.errors import StoreUnavailable
from jiraiya_events.engine.verdicts import Done, Retry, Work
from jiraiya_events.handlers.cancellations import Cancel, key_of
from jiraiya_events.handlers.ending import Ending
from jiraiya_events.handlers.limiting import Limiting
from tests.unit.engine.rig import virtual
from tests.unit.handlers.replicas import CLOCK, DOWN, STORY, Replica, SlowModel, record, shared


class Turnstile:
    """Lets so many through; `None` cannot be reached."""

    def __init__(self, left: int | None) -> None:
        self.left = left
        self.asked: list[str] = []

    async def check(self, user_id: str) -> float:
        """Count one, or say how long to wait."""
        self.asked.append(user_id)
        if self.left is None:
            raise StoreUnavailable("gone")
        self.left -= 1
        return 0.0 if self.left >= 0 else 12.5


def limited(turnstile: Turnstile, model: SlowModel | None = None) -> Replica:
    """Return a replica behind the turnstile."""
    replica = Replica(shared(), model or SlowModel(1.0))
    replica.handler._limiting = Limiting(turnstile, replica.notes)
    return replica


async def serve(replica: Replica, *wishes: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the payloads of the terminal events."""
    return [(await replica.serve(record(n, **wish)))[1] for n, wish in enumerate(wishes)]


@virtual
async def test_a_user_over_the_limit_is_told_when_to_come_back() -> None:
    """Proves code, stage, the wait, and that no model is asked."""
    model = SlowModel(1.0)
    replica = limited(Turnstile(1), model)
    story, refused = await serve(replica, {"request_id": "a"}, {"request_id": "b"})
    assert "story" in story
    assert refused["error"] == {
        "code": "rate_limited",
        "message": "Too many requests of this user in a short time.",
        "retryable": True,
        "stage": "admit",
        "retry_after_ms": 12_500,
    }
    assert (refused["dead_lettered"], refused["billed"], len(model.called_at)) == (False, False, 1)


@virtual
async def test_a_resend_gets_its_outcome_and_is_not_counted() -> None:
    """Proves that a stored story costs nobody a place."""
    turnstile = Turnstile(1)
    replica = limited(turnstile)
    first, again = await serve(replica, {"request_id": "a"}, {"request_id": "a"})
    assert first["story"] == again["story"]
    assert turnstile.asked == ["ann"]


@virtual
async def test_a_limit_that_cannot_be_reached_limits_nobody() -> None:
    """Proves that the story is written and the trouble told."""
    replica = limited(Turnstile(None))
    (story,) = await serve(replica, {"request_id": "a"})
    assert "story" in story
    assert replica.notes.failed == ["limit"]


@virtual
async def test_a_record_that_moves_is_counted_once() -> None:
    """Its partition may move while it waits: whoever saw it first has counted it."""
    turnstile, store = Turnstile(1), shared()
    first, second = Replica(store, SlowModel(1.0, [DOWN])), Replica(store, SlowModel(1.0))
    for replica in (first, second):
        replica.handler._limiting = Limiting(turnstile, replica.notes)
    assert isinstance(await first.handler.handle(Work(record(), 0.0)), Retry)
    _, story = await second.serve(record())
    assert "story" in story
    assert turnstile.asked == ["ann"]


@virtual
async def test_what_is_over_is_not_counted() -> None:
    """A withdrawn request ends as that."""
    replica = limited(Turnstile(0))
    key = key_of("/unknown", "r-1")
    replica.cancellations.note(Cancel(key, round(CLOCK.now() * 1000) + 5, "withdrawn"), CLOCK.now())
    _, body = await replica.serve(record())
    assert body["error"]["code"] == "cancelled"


@virtual
async def test_waiting_for_a_retry_is_no_work_of_ours() -> None:
    """Proves what the overhead of a request is made of."""
    replica = Replica(shared(), SlowModel(1.0, [DOWN, STORY]))
    work = Work(record(), 0.0)
    assert isinstance(await replica.handler.handle(work), Retry)
    await asyncio.sleep(20)
    done = await replica.handler.handle(work)
    assert isinstance(done, Done)
    assert isinstance(done.label, Ending)
    assert done.label.overhead_s is not None
    assert done.label.overhead_s < 0.1
