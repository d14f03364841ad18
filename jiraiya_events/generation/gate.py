"""The gate: how many calls of each model may be under way, and who may start the next.

A request that finds every slot of its model in use is told so, and the engine parks it, first come
first served. The gate does not know who is parked. It says `freed(model, count)` and hears how many
that woke, keeps that many slots for them (`generation.slots`), and gives new requests only what
is free beyond that. How many slots there are is found out by `generation.limit`.

**What may interleave.** Everything runs on one event loop and nothing here awaits, so each call is
atomic. `freed` only makes parked records ready to run: none of them asks the gate before the call
that woke it has returned. Between the calls anything can happen:

- *Somebody new comes between a wake and the woken one's turn.* The slot is promised, the new one is
  told to wait, and is parked behind.
- *Who was woken never comes* (withdrawn, past its deadline, its partition lost). The promise lapses
  after 1 s, and the next is woken: by whatever happens to the model then, or by `tick`.
- *Who was woken comes too late, or without a slot for it* (the engine's slots were all in use; a
  refusal has lowered the limit). It is told to wait again; its slot has been promised anew, or
  will be.
- *A slot is freed between "wait" and the parking* of the one who was told so, which has its result
  store to speak to. `freed` does not find it, so the slot counts as free. The engine remembers that
  a wake found too few, and asks about the late one again as it parks.
- *A hold begins while somebody was woken.* Promises end, everybody is told how long to wait, and
  when the hold is over those still parked are woken before anybody new is let in.
- *A hold begins while others are parked.* It frees no slot, and most can wait until it ends. Those
  whose time is up before that cannot: `held` wakes them, and they may ask another model. Each is
  woken once in its life by that, however often a hold is prolonged or follows another.

So a free slot that is not promised means that nobody was parked when it was last looked at, and a
look follows everything that can free one: an end of a call, a grown limit, a lapsed promise, the
end of a hold.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from jiraiya_events.domain.codes import ErrorCode
from jiraiya_events.generation.limit import AdaptiveLimit
from jiraiya_events.generation.outages import Outages
from jiraiya_events.generation.rate_limit_headers import asked_to_wait_s
from jiraiya_events.generation.slots import Slots

FIRST_HOLD_S: Final = 1.0
LONGEST_PATIENCE_S: Final = 60.0
WORTH_A_WAKE_S: Final = 2.0
"""Whose time is up within a shorter hold has none for another model either."""


@dataclass(frozen=True, slots=True)
class GateStatistics:
    """How the gate of one model stands; no call starts for another `held_s` seconds."""

    model: str
    limit: int
    in_flight: int
    promised: int
    held_s: float


@dataclass(slots=True)
class _Model:
    name: str
    limit: AdaptiveLimit
    slots: Slots = field(default_factory=Slots)
    refused_in_a_row: int = 0
    refusals: Outages = field(default_factory=Outages)

    def patience_s(self, *, told: bool) -> float:
        """Return how long to wait after a refusal of a call that was alone, at the least."""
        row = self.refused_in_a_row - told
        return 0.0 if row < 0 else min(FIRST_HOLD_S * 2.0**row, LONGEST_PATIENCE_S)


class AdaptiveGate:
    """Lets at most `most` calls of any model start, and fewer where the endpoint takes fewer.

    Three callbacks, set before the first call: `freed(model, count)` wakes at most that many parked
    requests and returns how many it woke; `held(model, seconds)` wakes those that cannot stay
    parked for so long; `due(at)` hears of every instant at which `tick` has something to do.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._models: dict[str, _Model] = {}
        self.freed: Callable[[str, int], int] = lambda _model, _count: 0
        self.held: Callable[[str, float], object] = lambda _model, _seconds: None
        self.due: Callable[[float], None] = lambda _at: None

    def admit(self, model: str, now: float, *, waited: bool = False) -> float | None:
        """Return 0 when the call may start: then `leave` must follow.

        More than 0: the seconds the provider wants everybody to wait. None: every slot is in use
        or promised; come again, `waited`, when one was freed.
        """
        one = self._of(model)
        self._offer(one, now)
        if waited:
            one.slots.redeem()
        if wait_s := one.slots.hold_left_s(now):
            return wait_s
        if one.slots.occupied < one.limit.calls:
            one.slots.take(now)
            return 0.0
        return None

    def leave(self, model: str, now: float) -> None:
        """Note that an admitted call ended, however it did; its slot goes to who waits longest."""
        one = self._of(model)
        one.slots.in_flight -= 1
        self._offer(one, now)

    def accepted(
        self,
        model: str,
        now: float,
        *,
        seconds: float,
        output_tokens: int | None,
        headers: Mapping[str, str],
    ) -> None:
        """Learn from an answer, and from what its headers say about the next; `leave` follows."""
        one = self._of(model)
        one.refused_in_a_row = 0
        one.limit.answered(now, one.slots.occupied, seconds, output_tokens)
        if wait_s := asked_to_wait_s(headers, one.slots.occupied, output_tokens or 0):
            self._hold(one, now, wait_s)
        elif not one.slots.hold_left_s(now):
            # Of calls that began before a hold an answer would say nothing.
            one.refusals.end(now)
        self._offer(one, now)

    def limited(self, model: str, now: float, retry_after_s: float | None) -> None:
        """Learn from a 429, and hold the model for as long as it asks; `leave` follows.

        Without a word what was refused is sent again when another call has ended. Only when it
        was alone everybody waits a second, and twice as long each time that happens in a row; also
        where the provider keeps asking for less than that.
        """
        one = self._of(model)
        others = one.slots.occupied - 1
        one.limit.refused(now, others, one.slots.most_just_now(now))
        if others <= 0:
            retry_after_s = max(retry_after_s or 0.0, one.patience_s(told=bool(retry_after_s)))
            one.refused_in_a_row += 1
        if retry_after_s:
            self._hold(one, now, retry_after_s)
        self._offer(one, now)

    def code_at(self, model: str, instant: float) -> ErrorCode | None:
        """Return `provider_rate_limited` when the provider was refusing calls at `instant`.

        It is from the beginning of a hold until a call that began after it is answered.
        """
        return self._of(model).refusals.code_at(instant)

    def tick(self, now: float) -> None:
        """Do what time brings: end holds and promises, and wake who may go on."""
        for one in self._models.values():
            self._offer(one, now)

    def statistics(self, now: float) -> tuple[GateStatistics, ...]:
        """Return how the gate of each model asked for so far stands."""
        return tuple(
            GateStatistics(
                model=one.name,
                limit=one.limit.calls,
                in_flight=one.slots.in_flight,
                promised=one.slots.promised,
                held_s=one.slots.hold_left_s(now),
            )
            for one in self._models.values()
        )

    def _of(self, model: str) -> _Model:
        one = self._models.get(model)
        if one is None:
            one = self._models[model] = _Model(model, AdaptiveLimit(self._most))
        return one

    def _hold(self, one: _Model, now: float, seconds: float) -> None:
        """Let no call start for so long, and wake who has not so much time."""
        before = one.slots.held_until
        one.slots.hold(now, seconds)
        one.refusals.begin(now, ErrorCode.PROVIDER_RATE_LIMITED, now)
        left_s = one.slots.hold_left_s(now)
        if left_s >= WORTH_A_WAKE_S and one.slots.held_until > before:
            self.held(one.name, left_s)

    def _offer(self, one: _Model, now: float) -> None:
        """Wake as many parked requests as there are free slots."""
        slots = one.slots
        slots.lapse(now)
        if slots.hold_left_s(now):
            self.due(slots.held_until)
            return
        free = one.limit.calls - slots.occupied
        if free > 0:
            slots.promise(self.freed(one.name, free), now)
        if slots.promised:
            self.due(slots.lapses_at)
