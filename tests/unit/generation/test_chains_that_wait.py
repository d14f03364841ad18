"""Requests whose models can none of them be asked now: what they wait for, and how they end."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from jiraiya_events.bootstrap.breaker_watch import BreakerWatch
from jiraiya_events.bootstrap.gate_watch import GateWatch
from jiraiya_events.domain.codes import ErrorCode
from jiraiya_events.domain.errors import StoreUnavailable
from jiraiya_events.engine.parking import Parking
from jiraiya_events.generation.breaker import State
from jiraiya_events.generation.faults import Fault, FaultKind
from jiraiya_events.generation.ports import CallObserver
from jiraiya_events.generation.progress import Progress
from jiraiya_events.generation.spending import OverBudget, Reservation
from jiraiya_events.generation.steps import (
    AwaitBreaker,
    AwaitSlot,
    Rejected,
    TryAgain,
    Written,
)
from jiraiya_events.handlers.places import place_of, slot_place
from tests.unit.generation.scene import DOWN, ID, START, Scene, answer, code_of, paid
from tests.unit.generation.test_fallbacks import (
    ELSEWHERE,
    EMPTY,
    SAME_BILL,
    SMALL,
    Feed,
    asked,
    ended,
)

CHAIN = (SMALL, ELSEWHERE)
BROKEN = Fault(FaultKind.CUT_STREAM)


class Poor:
    """A budget that refuses what `dear` says."""

    def __init__(self, dear: Callable[[Reservation], bool]) -> None:
        self._dear = dear
        self.settled: dict[str, int] = {}

    async def reserve(self, wanted: Reservation, now: float) -> OverBudget | None:
        """Say whether there is room."""
        return OverBudget("service", 100.0) if self._dear(wanted) else None

    async def settle(self, wanted: Reservation, pico_usd: int) -> None:
        """Book it."""
        self.settled[wanted.key] = pico_usd


async def test_an_empty_account_held_to_the_deadline_says_so() -> None:
    """A fallback on the same bill cannot be asked either, though its breaker is closed."""
    scene = Scene(EMPTY, chain=(SMALL, SAME_BILL))
    assert isinstance(await ended(scene), AwaitBreaker)
    scene.time = START + 301
    assert code_of(await scene.attempt()) is ErrorCode.PROVIDER_QUOTA
    never_tried = scene.generator.code_at_deadline(Progress(), START + 5)
    assert never_tried is ErrorCode.PROVIDER_QUOTA


@pytest.mark.parametrize("barred", ["published", "too dear"])
async def test_a_fallback_that_is_barred_does_not_hide_the_outage(barred: str) -> None:
    """Its breaker is closed, and the request was held all the same."""
    spending = Poor(lambda _: barred == "too dear")
    feed = Feed(published=barred == "published")
    scene = Scene(answer(), chain=CHAIN, spending=spending)
    scene.open_breaker()
    assert isinstance(await scene.attempt(deadline=START + 10, feed=feed), AwaitBreaker)
    scene.time += 11
    step = await scene.attempt(deadline=START + 10, feed=feed)
    assert code_of(step) is ErrorCode.PROVIDER_UNAVAILABLE


async def test_a_fallback_without_room_in_the_budget_does_not_hide_the_failure() -> None:
    """What was tried three times and failed ends as that, with its dead letter."""
    reserved: list[Reservation] = []

    def dear(wanted: Reservation) -> bool:
        reserved.append(wanted)
        return len(reserved) > 3

    scene = Scene(DOWN, chain=CHAIN, spending=Poor(dear))
    assert code_of(await ended(scene)) is ErrorCode.PROVIDER_UNAVAILABLE


async def test_whoever_was_heard_goes_on_alone() -> None:
    """A fallback whose stream broke gets its one more try, and nobody else writes the rest."""
    feed = Feed()
    scene = Scene(BROKEN, answer(), chain=CHAIN)
    scene.open_breaker()
    step = await scene.attempt(feed=feed)
    assert isinstance(step, TryAgain)
    feed.published = True
    scene.time += 16
    assert scene.breaker.allow(scene.time) is not None, "the first model could be asked again"
    story = await scene.attempt(feed=feed)
    assert isinstance(story, Written)
    assert asked(scene) == ["third", "third"]


async def test_a_provider_that_asks_for_an_hour_is_left_at_once() -> None:
    """The wait it names counts, not how long a gate would hold."""
    scene = Scene(Fault(FaultKind.HTTP, 429, retry_after_s=3600.0), answer(), chain=CHAIN)
    assert isinstance(await ended(scene), Written)
    assert (asked(scene), scene.time) == (["some", "third"], START)


async def test_a_breaker_that_may_close_is_waited_for_rather_than_a_hold_past_the_deadline() -> (
    None
):
    """The first model is held for too long, and the fallback's breaker opens for 15 s only."""
    scene = Scene(answer(), chain=CHAIN)
    assert scene.gate.admit("some", scene.time) == 0.0
    scene.gate.limited("some", scene.time, 600.0)
    scene.gate.leave("some", scene.time)
    permit = scene.breakers.of("third").allow(scene.time)
    assert permit is not None
    permit.failed(scene.time, ErrorCode.PROVIDER_UNAVAILABLE, opens=True)
    assert await scene.attempt() == AwaitBreaker(ErrorCode.PROVIDER_UNAVAILABLE, "some")
    held = scene.generator.code_at_deadline(scene.progress, START + 10)
    assert held is ErrorCode.PROVIDER_RATE_LIMITED, "what held the first of them"
    scene.time += 15
    assert isinstance(await scene.attempt(), Written)
    assert asked(scene) == ["third"]


async def test_a_provider_that_asks_for_next_to_nothing_is_not_hammered() -> None:
    """Refusals in a row double the wait, whatever the provider says."""
    scene = Scene(Fault(FaultKind.HTTP, 429, retry_after_s=0.001))
    while scene.time < START + 100:
        step = await scene.attempt()
        assert isinstance(step, TryAgain)
        scene.time += step.after_s
    assert len(scene.model.calls) < 12


async def test_a_deadline_that_passes_while_money_is_reserved_costs_nothing() -> None:
    """The reservation is given back, and no call is made."""

    class Slow(Poor):
        async def reserve(self, wanted: Reservation, now: float) -> OverBudget | None:
            scene.time += 5
            self.settled[wanted.key] = wanted.pico_usd
            return None

    till = Slow(lambda _: False)
    scene = Scene(answer(), spending=till)
    step = await scene.attempt(deadline=START + 3)
    assert code_of(step) is ErrorCode.DEADLINE_EXCEEDED
    assert (scene.model.calls, list(till.settled.values())) == ([], [0])
    assert [one.in_flight for one in scene.gate.statistics(scene.time)] == [0]


async def test_an_answer_is_kept_before_money_is_counted() -> None:
    """A cancellation while the store is slow loses nothing that was paid for."""
    settling = asyncio.Event()

    class Slow(Poor):
        async def settle(self, wanted: Reservation, pico_usd: int) -> None:
            settling.set()
            await asyncio.Event().wait()

    scene = Scene(answer(), spending=Slow(lambda _: False))
    attempt = asyncio.create_task(scene.attempt())
    await asyncio.wait_for(settling.wait(), 5)
    attempt.cancel()
    with pytest.raises(asyncio.CancelledError):
        await attempt
    assert await scene.store.is_paid(ID)


class Lanes:
    """Runs requests as lanes do, and counts their turns."""

    def __init__(self, scene: Scene, deadline: float) -> None:
        self._scene = scene
        self._deadline = deadline
        self._parking = Parking()
        self._tasks: set[asyncio.Task[None]] = set()
        self.turns = 0
        self.watch = BreakerWatch(
            scene.breakers,
            scene,
            CallObserver(),
            self._parking.unpark,
            places=lambda _: ("some", "third"),
            queue=slot_place,
        )
        GateWatch(scene.gate, scene, self._parking.unpark, place=slot_place)

    def start(self, progress: Progress) -> None:
        """Give a request its turn."""
        task = asyncio.get_running_loop().create_task(self._turn(progress))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _turn(self, progress: Progress) -> None:
        self.turns += 1
        since = self._parking.wakes
        step = await self._scene.attempt(progress=progress, deadline=self._deadline)
        if isinstance(step, AwaitBreaker | AwaitSlot):
            place = place_of(step)
            self._parking.park(object(), place, 1000, lambda: self.start(progress), since=since)

    async def settle(self) -> None:
        """Let the loop turn until nothing moves, a thousand times at most."""
        for _ in range(1000):
            await asyncio.sleep(0)
        self.watch.stop()


@pytest.mark.parametrize("against", ["budget", "hold"])
async def test_parked_requests_do_not_wake_each_other_without_end(against: str) -> None:
    """A trial that something else stands against is given back, and wakes nobody."""
    spending: Any = Poor(lambda _: against == "budget")
    scene = Scene(answer(), chain=CHAIN, spending=spending)
    permit = scene.breakers.of("third").allow(scene.time)
    assert permit is not None
    permit.failed(scene.time, ErrorCode.PROVIDER_UNAVAILABLE, opens=True)
    scene.time += 15.5
    scene.open_breaker()
    scene.breakers.tick(scene.time)
    assert scene.breakers.of("third").state is State.HALF_OPEN
    if against == "hold":
        assert scene.gate.admit("third", scene.time) == 0.0
        scene.gate.limited("third", scene.time, 50.0)
        scene.gate.leave("third", scene.time)
    lanes = Lanes(scene, scene.time + 40)
    for _ in range(5):
        lanes.start(Progress())
    await lanes.settle()
    assert 5 <= lanes.turns <= 10


async def test_a_withdrawn_request_does_not_wait_for_the_check_of_its_paid_story() -> None:
    """A wait would only put off its end."""

    class Away:
        async def flagged(self, *_: Any) -> bool:
            raise StoreUnavailable("never asked")

    scene = Scene(answer(), moderation=Away())
    permit = scene.breakers.of("moderation").allow(START)
    assert permit is not None
    permit.failed(START, ErrorCode.PROVIDER_UNAVAILABLE, opens=True)
    scene.progress.withdrawal.withdraw("no longer wanted")
    step = await scene.attempt(paid=paid())
    assert isinstance(step, Rejected)
    assert step.code is ErrorCode.CANCELLED
