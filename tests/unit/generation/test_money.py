"""Money is reserved before a call and booked after it; without room there is no call."""

import asyncio

import pytest

from jiraiya_events.domain.codes import ErrorCode, Stage
from jiraiya_events.domain.errors import StoreUnavailable
from jiraiya_events.domain.identity import RequestIdentity
from jiraiya_events.generation.candidates import Candidate
from jiraiya_events.generation.spending import OverBudget, Reservation
from jiraiya_events.generation.steps import AwaitStore, Rejected, TryAgain, Written
from tests.unit.generation.scene import CUT, DOWN, ID, START, Scene, answer


class Till:
    """Remembers what was reserved and booked; `room` is what is left, in pico-dollars."""

    def __init__(self, room: int = 10**9) -> None:
        self.room = room
        self.reserved: list[Reservation] = []
        self.booked: dict[str, int] = {}
        self.down = False

    async def reserve(self, wanted: Reservation, now: float) -> OverBudget | None:
        """Keep it if there is room."""
        if self.down:
            raise StoreUnavailable("gone")
        if wanted.pico_usd > self.room:
            return OverBudget("user", 3600.0)
        self.reserved.append(wanted)
        return None

    async def settle(self, wanted: Reservation, pico_usd: int) -> None:
        """Book it."""
        if self.down:
            raise StoreUnavailable("gone")
        self.booked[wanted.key] = pico_usd


async def test_a_call_is_reserved_at_its_most_and_booked_at_what_it_cost() -> None:
    """Proves the two amounts, and whose budget it is."""
    till = Till()
    scene = Scene(answer(), spending=till)
    assert isinstance(await scene.attempt(), Written)
    (reserved,) = till.reserved
    assert reserved.user_id == "ann"
    # 200 words at 8 tokens, each two pico-dollars, and what the prompt takes.
    assert reserved.pico_usd > 3_200
    assert till.booked == {reserved.key: 50}


async def test_without_room_there_is_no_call() -> None:
    """Proves the code, the wait that is told, and that nothing is left behind."""
    scene = Scene(answer(), spending=Till(room=0))
    step = await scene.attempt()
    assert isinstance(step, Rejected)
    assert (step.code, step.stage) == (ErrorCode.BUDGET_EXCEEDED, Stage.ADMIT)
    assert step.retry_after_ms == 3_600_000
    assert not scene.model.calls
    assert [one.in_flight for one in scene.gate.statistics(START)] == [0]


async def test_a_budget_that_cannot_be_read_is_waited_for() -> None:
    """Proves that no money is spent unseen, and no try used."""
    till = Till()
    till.down = True
    scene = Scene(answer(), spending=till)
    assert await scene.attempt() == AwaitStore(2.0)
    assert (scene.model.calls, scene.progress.tries) == ([], 0)
    assert scene.log.store_failures == ["reserve: gone"]
    till.down = False
    assert isinstance(await scene.attempt(), Written)


async def test_a_call_that_cost_nothing_gives_everything_back() -> None:
    """Proves it for a provider that was down, call by call."""
    till = Till()
    scene = Scene(DOWN, answer(), spending=till)
    assert isinstance(await scene.attempt(), TryAgain)
    assert isinstance(await scene.attempt(), Written)
    keys = [one.key for one in till.reserved]
    assert till.booked == {keys[0]: 0, keys[1]: 50}
    assert len(set(keys)) == 2


async def test_what_a_broken_call_may_have_cost_stays_reserved() -> None:
    """Proves that doubt is on the side of the budget."""
    till = Till()
    scene = Scene(CUT, spending=till)
    await scene.attempt()
    assert (len(till.reserved), till.booked) == (1, {})


async def test_a_call_that_a_crash_cut_is_reserved_under_the_same_key() -> None:
    """Proves that doing it again does not count it twice."""
    till = Till()
    before = Scene(None, spending=till)
    call = asyncio.create_task(before.attempt())
    await before.model.called.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    after = Scene(answer(), spending=till)
    await after.attempt()
    first, second = till.reserved
    assert first.key == second.key


async def test_an_operators_replay_is_not_on_the_users_budget() -> None:
    """Proves that only the service's budget counts for it."""
    till = Till()
    scene = Scene(answer(), spending=till)
    await scene.attempt(identity=RequestIdentity(ID.source, ID.id, 2))
    assert till.reserved[0].user_id is None


async def test_a_fallback_that_is_too_dear_is_not_asked() -> None:
    """Proves that the request waits for the first model instead of ending."""
    scene = Scene(answer(), spending=Till(room=0), chain=(Candidate("some"), Candidate("dear")))
    scene.open_breaker()
    step = await scene.attempt()
    assert not isinstance(step, Rejected | Written)
    assert (scene.model.calls, scene.time) == ([], START)
