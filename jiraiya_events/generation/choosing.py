"""Which model of its chain a request asks next, and what has to admit the call.

In the order of the chain: its breaker, its gate, the budget. A model is passed over when its
breaker is open or when its provider asks for a wait beyond the deadline, and for good once it was
ruled out for this request: by its failures, or because its next try would come after the deadline.
A fallback is asked only while there is time for an answer, and never after a part of the story was
published.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from jiraiya_events.domain.clock import Clock
from jiraiya_events.domain.codes import ErrorCode, Stage
from jiraiya_events.generation.breaker import Permit
from jiraiya_events.generation.breakers import Breakers
from jiraiya_events.generation.candidates import Candidate
from jiraiya_events.generation.classification import FallBack, Verdict
from jiraiya_events.generation.ports import Gate
from jiraiya_events.generation.purse import Purse
from jiraiya_events.generation.spending import Reservation
from jiraiya_events.generation.steps import (
    AwaitBreaker,
    AwaitSlot,
    AwaitStore,
    Rejected,
    Step,
    TryAgain,
)
from jiraiya_events.generation.turn import Turn

ENOUGH_S: Final = 2.0
"""A fallback is not begun with less time left: a story takes longer to write."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """The call may start; `permit` must be settled, and the gate be left, however it ends."""

    turn: Turn
    permit: Permit
    output_tokens: int
    reservation: Reservation | None


class Chooser:
    """Goes through the chain until one model admits the call.

    `answer_limit` returns the most tokens the answer to a turn's next call may have.
    """

    def __init__(
        self,
        breakers: Breakers,
        gate: Gate,
        purse: Purse,
        answer_limit: Callable[[Turn], int],
        clock: Clock,
    ) -> None:
        self._breakers = breakers
        self._gate = gate
        self._purse = purse
        self._answer_limit = answer_limit
        self._clock = clock

    async def choose(self, turn: Turn, waited_for: str | None) -> Admitted | Step:
        """Return the admitted call, else what to wait for, or the end of the request.

        `waited_for` is the model of whose slots one was freed for this request.
        """
        met = _Met()
        empty: set[str] = set()
        for candidate in turn.chain:
            if candidate.account in empty or not _may_be_asked(turn, candidate, self._clock.now()):
                continue
            on = turn.on(candidate, self._breakers.of(candidate.name))
            step = await self._admit(on, waited_for)
            if isinstance(step, Admitted) or not met.passes_over(on, step, self._clock.now()):
                return step
            if on.breaker.opened_code is ErrorCode.PROVIDER_QUOTA:
                empty.add(candidate.account)
        return met.wait(turn)

    def or_another(self, turn: Turn, verdict: Verdict, step: Step) -> Step:
        """Let another model go on where this one cannot; the next turn finds out who can."""
        if len(turn.chain) == 1 or turn.candidate not in turn.chain:
            return step
        end = step
        if isinstance(step, TryAgain) and self._clock.now() + step.after_s >= turn.deadline:
            end = Rejected(step.code, verdict.message, Stage.GENERATE)
        if isinstance(end, Rejected) and _rule_out(turn, verdict, end):
            return TryAgain(0.0, end.code)
        if isinstance(step, AwaitBreaker):
            turn.progress.wait_out(step.code)
            return TryAgain(0.0, step.code)
        return step

    async def give_up(self, admitted: Admitted) -> None:
        """Let go of what was admitted and never became a call."""
        self._leave(admitted.turn, admitted.permit)
        await self._purse.release(admitted.reservation)

    async def _admit(self, on: Turn, waited_for: str | None) -> Admitted | Step:
        now = self._clock.now()
        permit = on.breaker.allow(now)
        on.used.give_back(on.breaker.outages)
        if permit is None:
            code = on.breaker.opened_code or ErrorCode.PROVIDER_UNAVAILABLE
            return AwaitBreaker(code, on.chain[0].name)
        wait_s = self._gate.admit(on.model, now, waited=waited_for == on.model)
        if wait_s is None or wait_s > 0:
            permit.hand_back()
            limited = ErrorCode.PROVIDER_RATE_LIMITED
            return AwaitSlot(on.model) if wait_s is None else TryAgain(wait_s, limited)
        limit = self._answer_limit(on)
        try:
            reserved = await self._purse.reserve(on, limit)
        except BaseException:
            self._leave(on, permit)
            raise
        if isinstance(reserved, Rejected | AwaitStore):
            self._leave(on, permit)
            return reserved
        # What the store took is not the provider's time.
        permit.started_at = self._clock.now()
        return Admitted(on, permit, limit, reserved)

    def _leave(self, on: Turn, permit: Permit) -> None:
        permit.hand_back()
        self._gate.leave(on.model, self._clock.now())


class _Met:
    """What stood against each model of a chain, in its order."""

    def __init__(self) -> None:
        self._waits: list[AwaitBreaker | TryAgain] = []
        self._held_by: list[str] = []
        self._too_dear: Rejected | None = None

    def passes_over(self, on: Turn, met: Step, now: float) -> bool:
        """Tell whether the next model should be asked instead of waiting, or ending, here."""
        if isinstance(met, AwaitBreaker) or (
            isinstance(met, TryAgain) and now + met.after_s >= on.deadline
        ):
            self._held_by.append(on.model)
            self._waits.append(met)
            return True
        if isinstance(met, Rejected) and on.candidate is not on.chain[0]:
            # A dearer fallback that the budget does not allow is no reason to end the request.
            self._too_dear = self._too_dear or met
            return True
        return False

    def wait(self, turn: Turn) -> Step:
        """Return what to wait for; with nothing to wait for, how the last model ended."""
        if not self._waits:
            # Whoever cannot be asked was ruled out, is too dear, or has no time left.
            ends = (self._too_dear, *turn.progress.ruled_out.values())
            return [end for end in ends if end is not None][-1]
        # A breaker may let calls through before the deadline; the others' waits end after it.
        parked = next((wait for wait in self._waits if isinstance(wait, AwaitBreaker)), None)
        turn.progress.wait_out(self._waits[0].code, tuple(self._held_by) if parked else ())
        return parked or self._waits[0]


def _rule_out(turn: Turn, verdict: Verdict, end: Rejected) -> bool:
    """Rule out whoever cannot help after `end`; tell whether anybody is left."""
    if turn.published:
        return False
    ruled_out = turn.progress.ruled_out
    for other in turn.chain:
        if not _can_cure(verdict.fall_back, turn.candidate, other):
            ruled_out.setdefault(other.name, end)
    ruled_out[turn.model] = end
    return len(ruled_out) < len(turn.chain)


def _can_cure(fall_back: FallBack, failed: Candidate, other: Candidate) -> bool:
    if fall_back is FallBack.NO:
        return False
    if fall_back is FallBack.OTHER_PROVIDER:
        return other.account != failed.account
    if fall_back is FallBack.LARGER_MODEL:
        known = failed.context_window is not None and other.context_window is not None
        return known and (other.context_window or 0) > (failed.context_window or 0)
    return True


def _may_be_asked(turn: Turn, candidate: Candidate, now: float) -> bool:
    if candidate.name in turn.progress.ruled_out:
        return False
    if turn.published:
        return candidate.name == (turn.progress.streamed_by or turn.chain[0].name)
    return candidate is turn.chain[0] or turn.deadline - now >= ENOUGH_S
