"""Who is woken when a breaker lets calls through again."""

import asyncio

from jiraiya_events.bootstrap.breaker_watch import AGAIN_S, BreakerWatch
from jiraiya_events.domain.codes import ErrorCode
from jiraiya_events.generation.breaker import BreakerPolicy, Mode, State
from jiraiya_events.generation.breakers import Breakers
from jiraiya_events.generation.ports import CallObserver
from tests.unit.engine.rig import virtual


class LoopClock:
    """The loop's time."""

    def now(self) -> float:
        """Return seconds."""
        return asyncio.get_running_loop().time()


@virtual
async def test_a_trial_nobody_took_wakes_another() -> None:
    """Who was woken may have been withdrawn, or have its outcome already."""
    woken: list[tuple[object, int | None]] = []
    breakers = Breakers(BreakerPolicy(open_s=15, half_open_calls=3), ("a", "b"))
    clock = LoopClock()
    watch = BreakerWatch(
        breakers,
        clock,
        CallObserver(),
        lambda at, n: woken.append((at, n)),
        places=lambda name: (name,),
        queue=lambda name: ("queue", name),
    )
    permit = breakers.of("a").allow(clock.now())
    assert permit is not None
    permit.failed(clock.now(), ErrorCode.PROVIDER_AUTH, opens=True)
    await asyncio.sleep(15.1)
    assert breakers.of("a").state is State.HALF_OPEN
    assert woken == [(("queue", "a"), None), ("a", 3)]
    woken.clear()
    taken = breakers.of("a").allow(clock.now())
    await asyncio.sleep(AGAIN_S)
    assert woken == [("a", 2)]
    assert taken is not None
    others = [breakers.of("a").allow(clock.now()) for _ in range(2)]
    woken.clear()
    await asyncio.sleep(3 * AGAIN_S)
    assert woken == [], "every trial is under way"
    for one in (taken, *others):
        assert one is not None
        one.answered(clock.now())
    assert woken == [("a", None)]
    watch.stop()


@virtual
async def test_a_model_that_is_back_wakes_every_chain_it_stands_in() -> None:
    """A request waits beside its chain, whichever of its models comes back first."""
    woken: list[tuple[object, int | None]] = []
    breakers = Breakers(BreakerPolicy(open_s=15), ("a", "b"))
    clock = LoopClock()
    watch = BreakerWatch(
        breakers,
        clock,
        CallObserver(),
        lambda at, n: woken.append((at, n)),
        places=lambda name: ("a", name),
        queue=lambda name: ("queue", name),
    )
    breakers.of("b").set_mode(Mode.OPEN, clock.now())
    assert woken == [(("queue", "b"), None)], "nobody is left waiting for a slot that is not freed"
    woken.clear()
    breakers.of("b").set_mode(Mode.AUTO, clock.now())
    assert woken == [("a", None), ("b", None)]
    watch.stop()


@virtual
async def test_a_trial_that_is_handed_back_unused_wakes_another() -> None:
    """Nobody hears of it: something else stood against the call."""
    woken: list[tuple[object, int | None]] = []
    breakers = Breakers(BreakerPolicy(open_s=15, half_open_calls=3), ("a",))
    clock = LoopClock()
    watch = BreakerWatch(
        breakers,
        clock,
        CallObserver(),
        lambda at, n: woken.append((at, n)),
        places=lambda name: (name,),
        queue=lambda name: ("queue", name),
    )
    breaker = breakers.of("a")
    permit = breaker.allow(clock.now())
    assert permit is not None
    permit.failed(clock.now(), ErrorCode.PROVIDER_UNAVAILABLE, opens=True)
    await asyncio.sleep(15.5)
    trials = [breaker.allow(clock.now()) for _ in range(3)]
    await asyncio.sleep(3 * AGAIN_S)
    woken.clear()
    for trial in trials:
        assert trial is not None
        trial.hand_back()
    await asyncio.sleep(AGAIN_S)
    assert woken == [("a", 3)]
    watch.stop()
