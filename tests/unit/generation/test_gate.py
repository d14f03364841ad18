"""Who may start, who is woken, and what a provider's words do to both."""

from collections.abc import Mapping

import pytest

from jiraiya_events.domain.codes import ErrorCode
from jiraiya_events.generation.gate import WORTH_A_WAKE_S, AdaptiveGate
from jiraiya_events.generation.slots import LONGEST_HOLD_S, PROMISE_S

T = 1_800_000_000.0


class Rig:
    """A gate of one model with `parked` requests beside it."""

    def __init__(self, most: int = 10) -> None:
        self.gate = AdaptiveGate(most)
        self.parked = 0
        self.woken = 0
        self.due: list[float] = []
        self.held: list[tuple[str, float]] = []
        self.gate.freed = self._freed
        self.gate.held = lambda model, seconds: self.held.append((model, seconds))
        self.gate.due = self.due.append

    def _freed(self, model: str, count: int) -> int:
        assert count > 0
        woken = min(count, self.parked) if model == "m" else 0
        self.parked -= woken
        self.woken += woken
        return woken

    def admit(self, now: float = T, *, waited: bool = False) -> float | None:
        return self.gate.admit("m", now, waited=waited)

    def fill(self, now: float = T) -> None:
        """Take every free slot."""
        while self.admit(now) == 0.0:
            pass

    def answer(
        self, now: float = T, headers: Mapping[str, str] | None = None, *, seconds: float = 1.0
    ) -> None:
        """End a call well."""
        self.gate.accepted("m", now, seconds=seconds, output_tokens=270, headers=headers or {})
        self.gate.leave("m", now)

    def refuse(self, now: float = T, retry_after_s: float | None = None) -> None:
        """End a call with a 429."""
        self.gate.limited("m", now, retry_after_s)
        self.gate.leave("m", now)

    @property
    def limit(self) -> int:
        return self.gate.statistics(T)[0].limit


def test_ten_calls_start_and_the_next_waits_for_a_slot() -> None:
    rig = Rig(most=100)
    assert [rig.admit() for _ in range(11)] == [0.0] * 10 + [None]


def test_no_more_start_than_the_ceiling_allows() -> None:
    rig = Rig(most=3)
    for now in (T, T + 1, T + 2):
        rig.fill(now)
        rig.answer(now)
    rig.fill(T + 3)
    assert rig.gate.statistics(T)[0].in_flight == 3


def test_models_do_not_share_slots_or_waits() -> None:
    rig = Rig()
    rig.fill()
    rig.refuse(retry_after_s=5.0)
    assert rig.gate.admit("other", T) == 0.0


def test_an_answer_at_the_limit_raises_it_by_one() -> None:
    rig = Rig(most=100)
    rig.fill()
    rig.answer()
    assert rig.limit == 11


def test_an_answer_below_the_limit_raises_nothing() -> None:
    """Nobody waits for more."""
    rig = Rig(most=100)
    rig.admit()
    rig.answer()
    assert rig.limit == 10


def test_a_freed_slot_is_kept_for_who_was_woken() -> None:
    rig = Rig()
    rig.fill()
    rig.parked = 1
    rig.gate.leave("m", T)
    assert rig.woken == 1
    assert rig.admit() is None, "somebody new does not overtake"
    assert rig.admit(T + 0.5, waited=True) == 0.0
    assert rig.admit(T + 0.5) is None


def test_a_promise_nobody_comes_for_wakes_the_next() -> None:
    rig = Rig()
    rig.fill()
    rig.parked = 2
    rig.gate.leave("m", T)
    assert rig.due[-1] == T + PROMISE_S
    rig.gate.tick(T + PROMISE_S)
    assert (rig.woken, rig.parked) == (2, 0)
    assert rig.admit(T + PROMISE_S) is None
    rig.gate.tick(T + 2 * PROMISE_S)
    assert rig.admit(T + 2 * PROMISE_S) == 0.0, "nobody is parked any more"


def test_who_comes_after_the_promise_lapsed_waits_again() -> None:
    rig = Rig()
    rig.fill()
    rig.parked = 2
    rig.gate.leave("m", T)
    late = T + PROMISE_S
    assert rig.admit(late) is None, "the slot is the second one's by now"
    assert rig.admit(late, waited=True) == 0.0
    assert rig.admit(late, waited=True) is None


def test_a_wait_the_provider_asks_for_is_everybodys() -> None:
    rig = Rig()
    rig.fill()
    rig.parked = 3
    rig.refuse(retry_after_s=5.0)
    assert (rig.woken, rig.due[-1]) == (0, T + 5)
    assert [rig.admit(T + 1), rig.admit(T + 2, waited=True)] == [4.0, 3.0]
    rig.gate.leave("m", T + 3)
    assert rig.woken == 0
    rig.gate.tick(T + 5)
    assert rig.woken == 1, "of ten two have ended, and the limit fell to nine"
    assert rig.admit(T + 5) is None


def test_who_cannot_wait_that_long_is_told_when_a_hold_begins_or_grows() -> None:
    """Not at each call that ends meanwhile, and not for a hold too short to help anybody."""
    rig = Rig()
    rig.fill()
    rig.refuse(retry_after_s=5.0)
    rig.refuse(T + 1, retry_after_s=3.0)
    rig.refuse(T + 2)
    rig.answer(T + 2)
    rig.refuse(T + 3, retry_after_s=20.0)
    rig.refuse(T + 30, retry_after_s=WORTH_A_WAKE_S / 2)
    assert rig.held == [("m", 5.0), ("m", 20.0)]


def test_what_the_provider_refused_is_known_for_any_instant() -> None:
    """It refuses until a call that began after the hold is answered, whoever else is answered."""
    rig = Rig()
    rig.fill()
    rig.refuse(retry_after_s=5.0)
    rig.answer(T + 2)
    rig.admit(T + 5)
    rig.refuse(T + 6, retry_after_s=2.0)
    rig.admit(T + 8)
    rig.answer(T + 9)
    limited = ErrorCode.PROVIDER_RATE_LIMITED
    codes = [rig.gate.code_at("m", T + at) for at in (-1, 0, 4, 5.5, 8.5, 9, 20)]
    assert codes == [None, limited, limited, limited, limited, None, None]
    assert rig.gate.code_at("other", T + 1) is None


def test_after_the_wait_the_parked_go_first_without_a_tick() -> None:
    rig = Rig(most=1)
    rig.fill()
    rig.parked = 1
    rig.refuse(retry_after_s=5.0)
    assert rig.admit(T + 5) is None
    assert rig.admit(T + 5, waited=True) == 0.0


def test_no_wait_is_longer_than_a_minute() -> None:
    rig = Rig()
    rig.fill()
    rig.refuse(retry_after_s=86_400.0)
    rig.refuse(retry_after_s=2.0)
    assert rig.admit() == LONGEST_HOLD_S, "and a shorter one does not end it"


def test_a_refusal_without_a_word_stops_nobody() -> None:
    """The limit falls to what fits; the refused one is sent when another call has ended."""
    rig = Rig(most=100)
    rig.fill()
    rig.refuse()
    assert rig.limit == 9
    assert rig.admit() is None
    rig.parked = 1
    rig.answer(T + 1)
    assert rig.woken == 1


@pytest.mark.parametrize("retry_after_s", [None, 0.0])
def test_refused_alone_it_waits_longer_each_time(retry_after_s: float | None) -> None:
    """Else it would be sent again at once, and again."""
    rig = Rig(most=1)
    now, waits = T, []
    for _ in range(8):
        assert rig.admit(now) == 0.0
        rig.refuse(now, retry_after_s)
        wait_s = rig.admit(now)
        assert wait_s is not None
        waits.append(wait_s)
        now += wait_s
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]
    assert rig.admit(now) == 0.0
    rig.answer(now)
    assert rig.admit(now) == 0.0
    rig.refuse(now, retry_after_s)
    assert rig.admit(now) == 1.0, "an answer ends the row"


def test_headers_hold_the_model_before_it_refuses() -> None:
    rig = Rig()
    rig.fill()
    headers = {
        "x-ratelimit-limit-requests": "500",
        "x-ratelimit-remaining-requests": "1",
        "x-ratelimit-reset-requests": "49.9s",
    }
    rig.answer(headers=headers)
    assert rig.admit() == pytest.approx(1.0)


def test_a_clock_set_back_prolongs_nothing() -> None:
    rig = Rig(most=1)
    rig.fill()
    rig.refuse(retry_after_s=60.0)
    back = T - 86_400
    assert rig.admit(back) == LONGEST_HOLD_S
    assert rig.admit(back + LONGEST_HOLD_S) == 0.0
    rig.parked = 1
    rig.gate.leave("m", back + LONGEST_HOLD_S)
    assert rig.woken == 1
    assert rig.admit(back - 86_400) == 0.0, "the promise lapsed"


def test_the_snapshot_tells_how_it_stands() -> None:
    rig = Rig()
    rig.fill()
    rig.parked = 1
    rig.gate.leave("m", T)
    (seen,) = rig.gate.statistics(T)
    assert (seen.model, seen.limit, seen.in_flight, seen.promised, seen.held_s) == (
        "m", 10, 9, 1, 0.0,
    )  # fmt: skip
    rig.refuse(retry_after_s=3.0)
    (seen,) = rig.gate.statistics(T + 1)
    assert (seen.in_flight, seen.promised, seen.held_s) == (8, 0, 2.0)
