"""Money is reserved before a call and booked after it; without room there is no call."""

import asyncio

from jiraiya_events.adapters.limits.memory_spending import MemorySpending
from jiraiya_events.domain.codes import ErrorCode, Stage
from jiraiya_events.domain.errors import StoreUnavailable
from jiraiya_events.domain.identity import RequestIdentity
from jiraiya_events.generation.budgets import SERVICE, Budgets
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


class MuteTill(Till):
    """Does what it is told; while it is mute its answers get lost."""

    mute = True

    async def reserve(self, wanted: Reservation, now: float) -> OverBudget | None:
        """Keep it and say nothing."""
        over = await super().reserve(wanted, now)
        self._answer()
        return over

    async def settle(self, wanted: Reservation, pico_usd: int) -> None:
        """Book it and say nothing."""
        await super().settle(wanted, pico_usd)
        self._answer()

    def _answer(self) -> None:
        if self.mute:
            raise StoreUnavailable("no answer")


def spent(spending: MemorySpending) -> int:
    """Return what counts for the service."""
    return sum(day.sums[SERVICE] for day in spending._days.values())


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


async def test_every_call_counts_however_often_its_request_moves() -> None:
    """Proves that a new owner's call does not take the place of one that was cut and may cost."""
    spending, most = MemorySpending(Budgets(service_daily_pico=10**9)), []
    for _ in range(3):
        owner = Scene(None, spending=spending)
        call = asyncio.create_task(owner.attempt())
        await owner.model.called.wait()
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        most.append(spent(spending))
    await Scene(answer(), spending=spending).attempt()
    assert most == [most[0], 2 * most[0], 3 * most[0]]
    assert spent(spending) == 3 * most[0] + 50


async def test_a_reservation_the_store_did_not_confirm_is_given_back_before_the_next() -> None:
    """Proves that an outage of the store uses up no budget, however often it is asked."""
    till = MuteTill()
    scene = Scene(answer(), spending=till)
    for _ in range(3):
        assert await scene.attempt() == AwaitStore(2.0)
    till.mute = False
    assert isinstance(await scene.attempt(), Written)
    first, *_, last = till.reserved
    assert till.booked == {first.key: 0, last.key: 50}
    assert [one.key for one in till.reserved] == [first.key, last.key]


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
