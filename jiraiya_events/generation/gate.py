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
  store to speak to. `freed` does not find it, so the slot counts as free. It is found when the next
  call ends, and if none is under way any more, by `tick`: for 10 s after somebody was told to wait
  and as long as slots are free, the gate asks every 0.1 s whether there is somebody now.
- *A hold begins while somebody was woken.* Promises end, everybody is told how long to wait, and
  when the hold is over those still parked are woken before anybody new is let in.

So a free slot that is not promised means that nobody was parked when it was last looked at, and a
look follows everything that can free one: an end of a call, a grown limit, a lapsed promise, the
end of a hold.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from jiraiya_events.generation.limit import AdaptiveLimit
from jiraiya_events.generation.rate_limit_headers import asked_to_wait_s
from jiraiya_events.generation.slots import Slots

FIRST_HOLD_S: Final = 1.0
LONGEST_PATIENCE_S: Final = 60.0
LOOK_AGAIN_S: Final = 0.1
LOOK_FOR_S: Final = 10.0


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
    told_to_wait_at: float = -math.inf

    def patience_s(self, *, told: bool) -> float:
        """Return how long to wait after a refusal of a call that was alone, at the least."""
        row = self.refused_in_a_row - told
        return 0.0 if row < 0 else min(FIRST_HOLD_S * 2.0**row, LONGEST_PATIENCE_S)


class AdaptiveGate:
    """Lets at most `most` calls of any model start, and fewer where the endpoint takes fewer.

    Two callbacks, set before the first call: `freed(model, count)` wakes at most that many parked
    requests and returns how many it woke; `due(at)` hears of every instant at which `tick` has
    something to do.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._models: dict[str, _Model] = {}
        self.freed: Callable[[str, int], int] = lambda _model, _count: 0
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
        one.told_to_wait_at = now
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
            one.slots.hold(now, wait_s)
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
            one.slots.hold(now, retry_after_s)
        self._offer(one, now)

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

    def _offer(self, one: _Model, now: float) -> None:
        """Wake as many parked requests as there are free slots."""
        slots = one.slots
        slots.lapse(now)
        if slots.hold_left_s(now):
            self.due(slots.held_until)
            return
        free = one.limit.calls - slots.occupied
        if free > 0:
            woken = self.freed(one.name, free)
            slots.promise(woken, now)
            if woken < free and 0.0 <= now - one.told_to_wait_at < LOOK_FOR_S:
                self.due(now + LOOK_AGAIN_S)
        if slots.promised:
            self.due(slots.lapses_at)
