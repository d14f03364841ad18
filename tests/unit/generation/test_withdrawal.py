"""A withdrawn request's call is cut, and nothing but that call."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from jiraiya_events.adapters.limits.memory_spending import MemorySpending
from jiraiya_events.adapters.store.memory import MemoryStore
from jiraiya_events.adapters.store.memory_cache import MemoryCache
from jiraiya_events.domain.codes import ErrorCode, Stage
from jiraiya_events.domain.identity import RequestIdentity
from jiraiya_events.domain.outcome import Source
from jiraiya_events.domain.request import StoryRequested
from jiraiya_events.domain.story import Usage
from jiraiya_events.generation.breaker import BreakerPolicy
from jiraiya_events.generation.breakers import Breakers
from jiraiya_events.generation.budgets import Budgets
from jiraiya_events.generation.candidates import Candidate, Chains
from jiraiya_events.generation.faults import CallFault, Fault, FaultKind
from jiraiya_events.generation.gate import AdaptiveGate
from jiraiya_events.generation.generator import Generator, GeneratorOptions
from jiraiya_events.generation.paid import ModelAnswer, PaidAnswer
from jiraiya_events.generation.ports import CallObserver
from jiraiya_events.generation.progress import Progress
from jiraiya_events.generation.prompt import AnswerForm, Prompt
from jiraiya_events.generation.result_store import Stored
from jiraiya_events.generation.retry_policy import RetryPolicy
from jiraiya_events.generation.spending import OverBudget, Reservation
from jiraiya_events.generation.steps import AwaitBreaker, Rejected, Step, UnderWay, Written
from jiraiya_events.testing.virtual_time import LoopClock
from tests.unit.engine.rig import virtual
from tests.unit.handlers.replicas import STORY, Flat

CLOCK = LoopClock()
ID = RequestIdentity("/shop", "r-1")
REQUEST = StoryRequested(user_id="ann", keywords=["fox"])
PAID = PaidAnswer(
    text=STORY,
    form=AnswerForm.JSON,
    finish_reason="stop",
    refusal=None,
    model="some",
    provider="openai",
    prompt_version="story.v1",
    attempt=1,
    calls=1,
    usage=Usage(input_tokens=5),
    cost_pico_usd=7,
)


class Model:
    """Answers, or fails, after `seconds`; cleaning up a cut call takes `cleaning_s`."""

    def __init__(
        self, seconds: float = 10, fault: Fault | None = None, cleaning_s: float = 0
    ) -> None:
        self.seconds = seconds
        self.fault = fault
        self.cleaning_s = cleaning_s
        self.at_last: Callable[[], None] = lambda: None
        self.called = 0
        self.closed_at: list[float] = []

    async def complete(self, prompt: Prompt, **_: Any) -> ModelAnswer:
        """Take the time, or note when the connection was closed."""
        self.called += 1
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            await asyncio.sleep(self.cleaning_s)
            self.closed_at.append(asyncio.get_running_loop().time())
            raise
        self.at_last()
        if self.fault is not None:
            raise CallFault(self.fault)
        return ModelAnswer(STORY, "stop", None, Usage(output_tokens=9), "some", "openai")


class Gate(AdaptiveGate):
    """Counts who is inside."""

    inside = 0

    def admit(self, model: str, now: float, *, waited: bool = False) -> float | None:
        """Let in."""
        self.inside += 1
        return super().admit(model, now, waited=waited)

    def leave(self, model: str, now: float) -> None:
        """Let out."""
        self.inside -= 1
        super().leave(model, now)


class Calls(CallObserver):
    """Remembers how calls ended."""

    def __init__(self) -> None:
        self.ends: list[str] = []

    def call_finished(self, model: str, outcome: str, *_: Any) -> None:
        """Remember it."""
        self.ends.append(outcome)


class SlowSpending(MemorySpending):
    """Takes a second to reserve, and remembers what was given back."""

    def __init__(self) -> None:
        super().__init__(Budgets(service_daily_pico=10**12))
        self.settled: list[int] = []

    async def reserve(self, wanted: Reservation, now: float) -> OverBudget | None:
        """Reserve in the middle of the second."""
        await asyncio.sleep(0.5)
        over = await super().reserve(wanted, now)
        await asyncio.sleep(0.5)
        return over

    async def settle(self, wanted: Reservation, pico_usd: int) -> None:
        """Remember."""
        self.settled.append(pico_usd)
        await super().settle(wanted, pico_usd)


class SlowCache(MemoryCache):
    """Takes a second to look."""

    async def find(self, key: str) -> PaidAnswer | None:
        """Look."""
        await asyncio.sleep(1)
        return await super().find(key)


class Scene:
    """One request and all it takes to try it."""

    def __init__(self, model: Model, breaker: BreakerPolicy | None = None, **ports: Any) -> None:
        self.model = model
        self.gate = Gate(100)
        self.calls = Calls()
        self.progress = Progress()
        self.breakers = Breakers(breaker or BreakerPolicy())
        self.breaker = self.breakers.of("some")
        self.generator = Generator(
            model=model,
            store=MemoryStore(1e6, CLOCK),
            prices=Flat(),
            breakers=self.breakers,
            chains=Chains((Candidate("some"),)),
            gate=self.gate,
            retry=RetryPolicy(chance=lambda: 1.0),
            options=GeneratorOptions(),
            clock=CLOCK,
            observer=self.calls,
            **ports,
        )

    async def attempt(
        self, *, within_s: float = 300, paid: PaidAnswer | None = None, busy: bool = False
    ) -> Step:
        """Make one attempt."""
        deadline = CLOCK.now() + within_s
        return await self.generator.attempt(
            REQUEST,
            ID,
            "f",
            self.progress,
            deadline=deadline,
            stored=Stored(answer=paid, busy=busy),
        )

    def withdraw_in(self, seconds: float) -> None:
        """Withdraw the request later."""
        loop = asyncio.get_running_loop()
        loop.call_later(seconds, self.progress.withdrawal.withdraw, "Gone.")

    def open_breaker(self) -> None:
        """Let one failure open it."""
        permit = self.breaker.allow(CLOCK.now())
        assert permit is not None
        permit.failed(CLOCK.now(), ErrorCode.PROVIDER_UNAVAILABLE, opens=True)


def now() -> float:
    """Return virtual seconds."""
    return asyncio.get_running_loop().time()


CANCELLED = Rejected(ErrorCode.CANCELLED, "Gone.", Stage.GENERATE)


@virtual
async def test_a_call_in_flight_is_closed_at_once_and_its_bill_is_unknown() -> None:
    """No try is used, and slot and permit are given back."""
    scene = Scene(Model())
    scene.withdraw_in(3)
    assert await scene.attempt() == CANCELLED
    assert (now(), scene.model.closed_at) == (3, [3])
    assert (scene.progress.tries, scene.progress.calls, scene.progress.billed) == (0, 1, None)
    assert (scene.gate.inside, scene.calls.ends) == (0, ["cut"])


@virtual
async def test_a_task_goes_on_after_its_call_was_cut() -> None:
    """Many records run in one task: no cancellation is left over for the next of them."""
    scene = Scene(Model())
    scene.withdraw_in(3)
    await scene.attempt()
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    scene.progress = Progress()
    assert isinstance(await scene.attempt(), Written)
    assert now() == 13


@virtual
async def test_a_withdrawn_trial_gives_its_slot_to_the_next() -> None:
    """The breaker stays half-open and learns nothing of it."""
    scene = Scene(Model(), BreakerPolicy(half_open_calls=1))
    scene.open_breaker()
    told: list[str] = []
    await asyncio.sleep(15)
    scene.breaker.on_change(lambda old, new: told.append(f"{old.name} {new.name}"))
    scene.withdraw_in(3)
    assert await scene.attempt() == CANCELLED
    assert told == ["OPEN HALF_OPEN", "HALF_OPEN HALF_OPEN"]
    assert scene.breaker.allow(CLOCK.now()) is not None


@virtual
async def test_what_was_withdrawn_before_its_first_call_makes_none() -> None:
    """Its stage says that it came no further than being admitted."""
    scene = Scene(Model())
    scene.progress.withdrawal.withdraw("Gone.")
    step = await scene.attempt()
    assert step == Rejected(ErrorCode.CANCELLED, "Gone.", Stage.ADMIT)
    assert (scene.model.called, scene.progress.billed) == (0, False)


@pytest.mark.parametrize("withdrawn_at", [0.9, 1.1, 1.9])
@virtual
async def test_what_is_withdrawn_while_cache_or_budget_are_asked_makes_no_call(
    withdrawn_at: float,
) -> None:
    """Nothing is left reserved, and neither slot nor permit is kept."""
    spending, cache = SlowSpending(), SlowCache(60, CLOCK)
    scene = Scene(Model(), BreakerPolicy(half_open_calls=1), spending=spending, cache=cache)
    scene.open_breaker()
    await asyncio.sleep(15)
    scene.withdraw_in(withdrawn_at)
    assert await scene.attempt() == Rejected(ErrorCode.CANCELLED, "Gone.", Stage.ADMIT)
    assert (scene.model.called, scene.progress.billed, scene.gate.inside) == (0, False, 0)
    assert spending.settled == [0]
    assert scene.breaker.allow(CLOCK.now()) is not None


@virtual
async def test_what_was_parked_under_an_open_breaker_ends_without_a_call() -> None:
    """The breaker is not asked again."""
    scene = Scene(Model())
    scene.open_breaker()
    assert isinstance(await scene.attempt(), AwaitBreaker)
    scene.progress.withdrawal.withdraw("Gone.")
    assert await scene.attempt() == CANCELLED
    assert scene.model.called == 0


@virtual
async def test_what_was_withdrawn_while_its_call_failed_does_not_wait_for_another_try() -> None:
    """The fault is out before the scope can end; the request ends all the same."""
    scene = Scene(Model(3, Fault(FaultKind.HTTP, status=503)))
    scene.model.at_last = lambda: scene.progress.withdrawal.withdraw("Gone.")
    assert await scene.attempt() == CANCELLED
    assert scene.calls.ends == ["provider_unavailable"]


@virtual
async def test_an_answer_that_is_paid_for_is_published_though_withdrawn() -> None:
    """There is no money left to save: after a crash, and when the cancel comes after the call."""
    scene = Scene(Model())
    scene.progress.withdrawal.withdraw("Gone.")
    step = await scene.attempt(paid=PAID)
    assert isinstance(step, Written)
    assert (step.source, scene.model.called) == (Source.RESULT_STORE, 0)


@virtual
async def test_while_another_turn_may_be_calling_the_end_is_left_to_it() -> None:
    """It hears of the cancel as well, and knows what was spent."""
    scene = Scene(Model())
    scene.progress.withdrawal.withdraw("Gone.")
    assert isinstance(await scene.attempt(busy=True), UnderWay)


@virtual
async def test_a_withdrawal_that_comes_after_the_deadline_has_cut_the_call_is_harmless() -> None:
    """The scope has expired and closes its call still; bringing it forward would raise."""
    scene = Scene(Model(cleaning_s=2))
    attempt = asyncio.get_running_loop().create_task(scene.attempt(within_s=5))
    await asyncio.sleep(6)
    scene.progress.withdrawal.withdraw("Gone.")
    assert await attempt == CANCELLED
    assert (now(), scene.model.closed_at) == (7, [7])


@virtual
async def test_a_withdrawal_after_the_call_is_too_late_for_it() -> None:
    """No scope is known any more, and a second word changes nothing."""
    scene = Scene(Model())
    assert isinstance(await scene.attempt(), Written)
    scene.progress.withdrawal.withdraw("Gone.")
    scene.progress.withdrawal.withdraw("Again.")
    await asyncio.sleep(1)
    assert scene.progress.withdrawal.message == "Gone."


@pytest.mark.parametrize(("withdrawn_at", "stopped_at"), [(3, 4), (4, 3), (3, 3)])
@virtual
async def test_a_stop_is_a_stop_whenever_the_request_is_withdrawn(
    withdrawn_at: float, stopped_at: float
) -> None:
    """Shutdown cancels the task before, after and together with the scope: it is not swallowed."""
    scene = Scene(Model(cleaning_s=2))
    task = asyncio.get_running_loop().create_task(scene.attempt())
    scene.withdraw_in(withdrawn_at)
    asyncio.get_running_loop().call_later(stopped_at, task.cancel)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelling() == 1
    assert scene.gate.inside == 0


@virtual
async def test_an_answer_that_arrives_before_the_cut_is_kept() -> None:
    """Leaving the scope takes the timer away that the withdrawal has set."""
    scene = Scene(Model(3))
    scene.model.at_last = lambda: scene.progress.withdrawal.withdraw("Gone.")
    assert isinstance(await scene.attempt(), Written)
    await asyncio.sleep(1)
    assert scene.progress.billed is True
