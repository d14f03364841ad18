"""The gate under any order of events: what is counted is what is there."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from jiraiya_events.generation.gate import AdaptiveGate
from jiraiya_events.generation.slots import LONGEST_HOLD_S, PROMISE_S

T = 1_800_000_000.0

moves = st.lists(
    st.tuples(
        st.sampled_from(
            ["new", "new", "woken", "woken", "gone", "answer", "answer", "refuse", "hold", "cut",
             "tick", "late", "headers"]
        ),
        st.floats(0.0, 0.7),
    ),
    max_size=250,
)  # fmt: skip


@dataclass
class Engine:
    """Who is parked, woken, on the way to the parking, and under way."""

    gate: AdaptiveGate
    now: float = T
    leaving: int = 0
    parked: int = 0
    woken: list[float] = field(default_factory=list)
    calls: int = 0
    wakes: int = 0

    def freed(self, model: str, count: int) -> int:
        """Wake."""
        (stands,) = self.gate.statistics(self.now)
        assert 0 < count <= stands.limit - stands.in_flight - stands.promised
        assert not stands.held_s, "nobody is woken to wait"
        woken = min(count, self.parked)
        self.parked -= woken
        self.woken += [self.now] * woken
        self.wakes += woken
        return woken

    def ask(self, *, waited: bool) -> None:
        """Have a turn."""
        before = self.calls
        wait_s = self.gate.admit("m", self.now, waited=waited)
        if wait_s is None:
            self.leaving += 1
        elif wait_s > 0:
            assert wait_s <= LONGEST_HOLD_S
        else:
            self.calls += 1
            (stands,) = self.gate.statistics(self.now)
            assert self.calls + stands.promised <= stands.limit, "never above the limit"
            assert before == stands.in_flight - 1

    def end(self, how: str) -> None:
        """End a call."""
        if not self.calls:
            return
        if how == "refuse":
            self.gate.limited("m", self.now, None)
        elif how == "hold":
            self.gate.limited("m", self.now, 2.0)
        elif how in {"answer", "headers"}:
            headers = {} if how == "answer" else {
                "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "500ms",
            }  # fmt: skip
            self.gate.accepted("m", self.now, seconds=0.5, output_tokens=270, headers=headers)
        self.calls -= 1
        self.gate.leave("m", self.now)


def play(most: int, moved: list[tuple[str, float]]) -> Engine:
    """Run the moves; everybody on the way to the parking gets there before the next."""
    engine = Engine(AdaptiveGate(most))
    engine.gate.freed = engine.freed
    engine.gate.admit("m", T)
    engine.gate.leave("m", T)
    for what, seconds in moved:
        engine.now += seconds
        if what == "new":
            engine.ask(waited=False)
        elif what == "woken" and engine.woken:
            engine.woken.pop(0)
            engine.ask(waited=True)
        elif what == "gone" and engine.woken:
            engine.woken.pop()
        elif what == "tick":
            engine.gate.tick(engine.now)
        elif what in {"answer", "refuse", "hold", "cut", "headers"}:
            engine.end(what)
        if what != "late":
            engine.parked += engine.leaving
            engine.leaving = 0
        (stands,) = engine.gate.statistics(engine.now)
        assert 1 <= stands.limit <= most
        assert stands.in_flight == engine.calls, "slots never leak"
    return engine


@given(most=st.integers(1, 30), moved=moves)
def test_slots_neither_leak_nor_double(most: int, moved: list[tuple[str, float]]) -> None:
    """The assertions are in `play`: in flight is what runs, and never above the limit."""
    play(most, moved)


@given(most=st.integers(1, 30), moved=moves)
def test_promises_lapse_and_everybody_parked_is_woken_in_the_end(
    most: int, moved: list[tuple[str, float]]
) -> None:
    """Whoever was woken stays away, and no call is under way: time alone must wake all others."""
    engine = play(most, moved)
    engine.parked += engine.leaving
    while engine.calls:
        engine.end("cut")
    engine.now += LONGEST_HOLD_S
    for _ in range(engine.parked + 2):
        engine.gate.tick(engine.now)
        engine.now += PROMISE_S
    engine.gate.tick(engine.now)
    assert engine.parked == 0
    (stands,) = engine.gate.statistics(engine.now)
    assert (stands.promised, stands.in_flight, stands.held_s) == (0, 0, 0.0)


@given(most=st.integers(1, 30), moved=moves)
def test_nobody_is_parked_beside_a_free_slot(most: int, moved: list[tuple[str, float]]) -> None:
    """As of the latest look, which follows every move."""
    engine = play(most, moved)
    engine.gate.tick(engine.now)
    (stands,) = engine.gate.statistics(engine.now)
    if engine.parked and not stands.held_s:
        assert stands.in_flight + stands.promised >= stands.limit
