"""Who is woken when slots are freed, and when by time alone."""

import asyncio
import math
from collections.abc import Hashable

from jiraiya_events.bootstrap.gate_watch import GateWatch
from jiraiya_events.generation.gate import AdaptiveGate
from jiraiya_events.testing.virtual_time import LoopClock
from tests.unit.engine.rig import virtual


class Rig:
    """A watched gate of one slot per model, and who is parked where."""

    def __init__(self) -> None:
        self.clock = LoopClock()
        self.gate = AdaptiveGate(1)
        self.parked: dict[Hashable, int] = {}
        self.woken: list[tuple[Hashable, int]] = []
        self.told: list[tuple[Hashable, float]] = []
        self.watch = GateWatch(self.gate, self.clock, self._unpark, place=lambda m: ("gate", m))

    def _unpark(self, place: Hashable, count: int | None, within_s: float) -> int:
        if count is None:
            self.told.append((place, within_s))
            return 0
        assert within_s == math.inf
        woken = min(count, self.parked.get(place, 0))
        if woken:
            self.parked[place] -= woken
            self.woken.append((place, woken))
        return woken

    def admit(self, model: str = "a", *, waited: bool = False) -> float | None:
        return self.gate.admit(model, self.clock.now(), waited=waited)


@virtual
async def test_a_call_that_ends_wakes_one_at_its_models_place() -> None:
    rig = Rig()
    assert [rig.admit(), rig.admit()] == [0.0, None]
    rig.parked = {("gate", "a"): 2, ("gate", "b"): 1}
    rig.gate.leave("a", rig.clock.now())
    assert rig.woken == [(("gate", "a"), 1)]
    rig.watch.stop()


@virtual
async def test_the_end_of_a_wait_wakes_who_is_parked() -> None:
    rig = Rig()
    rig.admit()
    rig.parked = {("gate", "a"): 1}
    rig.gate.limited("a", rig.clock.now(), 5.0)
    rig.gate.leave("a", rig.clock.now())
    await asyncio.sleep(4.9)
    assert rig.woken == []
    await asyncio.sleep(0.2)
    assert rig.woken == [(("gate", "a"), 1)]
    rig.watch.stop()


@virtual
async def test_the_beginning_of_a_wait_wakes_who_has_not_so_much_time() -> None:
    rig = Rig()
    rig.admit()
    rig.gate.limited("a", rig.clock.now(), 5.0)
    assert rig.told == [(("gate", "a"), 5.0)]
    rig.watch.stop()


@virtual
async def test_who_was_woken_and_does_not_come_is_followed_by_the_next() -> None:
    rig = Rig()
    rig.admit()
    rig.parked = {("gate", "a"): 3}
    rig.gate.leave("a", rig.clock.now())
    await asyncio.sleep(2.1)
    assert len(rig.woken) == 3
    assert rig.admit(waited=True) == 0.0
    rig.watch.stop()


@virtual
async def test_the_soonest_of_several_instants_is_not_missed() -> None:
    """The wait of one model ends while the timer is set for the other's."""
    rig = Rig()
    for model, seconds in (("a", 30.0), ("b", 3.0)):
        rig.admit(model)
        rig.gate.limited(model, rig.clock.now(), seconds)
        rig.gate.leave(model, rig.clock.now())
    rig.parked = {("gate", "a"): 1, ("gate", "b"): 1}
    await asyncio.sleep(3.1)
    assert rig.woken == [(("gate", "b"), 1)]
    await asyncio.sleep(27)
    assert rig.woken[-1] == (("gate", "a"), 1)
    rig.watch.stop()


@virtual
async def test_a_stopped_watch_leaves_no_timer() -> None:
    rig = Rig()
    rig.admit()
    rig.gate.limited("a", rig.clock.now(), 5.0)
    rig.parked = {("gate", "a"): 1}
    rig.watch.stop()
    await asyncio.sleep(10)
    assert rig.woken == []
