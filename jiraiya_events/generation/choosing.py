"""Which model of its chain a request asks next, and what has to admit the call.

In the order of the chain: its breaker, its gate, the budget. A model is passed over when its
breaker is open or when its provider asks for a wait beyond the deadline, and for good once it was
ruled out for this request. A fallback is asked only while there is time for an answer, and never
after a part of the story was published.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from jiraiya_events.domain.clock import Clock
from jiraiya_events.domain.codes import ErrorCode
from jiraiya_events.generation.breaker import Permit, State
from jiraiya_events.generation.breakers import Breakers
from jiraiya_events.generation.candidates import Candidate
from jiraiya_events.generation.classification import FallBack, Verdict
from jiraiya_events.generation.consequences import await_breaker
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

    async def choose(self, turn: Turn) -> Admitted | Step:
        """Return the admitted call, else what to wait for, or the end of the request."""
        now = self._clock.now()
        obstacles: list[Step] = []
        empty: set[str] = set()
        for candidate in turn.chain:
            if candidate.account in empty or not _may_be_asked(turn, candidate, now):
                continue
            on = turn.on(candidate, self._breakers.of(candidate.name))
            met = await self._admit(on, now)
            if isinstance(met, Admitted) or not _is_passed_over(on, met, now):
                return met
            obstacles.append(met)
            if on.breaker.opened_code is ErrorCode.PROVIDER_QUOTA:
                empty.add(candidate.account)
        return _wait_for(turn, obstacles)

    def or_another(self, turn: Turn, verdict: Verdict, step: Step) -> Step:
        """Let another model go on at once where this one cannot and that one may."""
        if isinstance(step, Rejected) and _rule_out(turn, verdict, step):
            return TryAgain(0.0, step.code)
        if isinstance(step, AwaitBreaker) and self._others_are_open_to(turn):
            turn.progress.wait_out(step.code)
            return TryAgain(0.0, step.code)
        return step

    def _others_are_open_to(self, turn: Turn) -> bool:
        now = self._clock.now()
        quota = turn.breaker.opened_code is ErrorCode.PROVIDER_QUOTA
        return any(
            other is not turn.candidate
            and _may_be_asked(turn, other, now)
            and not (quota and other.account == turn.candidate.account)
            and self._breakers.of(other.name).state is not State.OPEN
            for other in turn.chain
        )

    async def _admit(self, on: Turn, now: float) -> Admitted | Step:
        permit = on.breaker.allow(now)
        on.used.give_back(on.breaker.outages)
        if permit is None:
            code = on.breaker.opened_code or ErrorCode.PROVIDER_UNAVAILABLE
            return AwaitBreaker(code, on.chain[0].name)
        wait_s = self._gate.admit(on.model, now, waited=on.progress.queued_for == on.model)
        if wait_s is None:
            permit.release(now)
            return AwaitSlot(on.model)
        if wait_s > 0:
            permit.release(now)
            return TryAgain(wait_s, ErrorCode.PROVIDER_RATE_LIMITED)
        limit = self._answer_limit(on)
        try:
            reserved = await self._purse.reserve(on, limit)
        except BaseException:
            self._give_up(on, permit)
            raise
        if isinstance(reserved, Rejected | AwaitStore):
            self._give_up(on, permit)
            return reserved
        return Admitted(on, permit, limit, reserved)

    def _give_up(self, on: Turn, permit: Permit) -> None:
        now = self._clock.now()
        permit.release(now)
        self._gate.leave(on.model, now)


def _rule_out(turn: Turn, verdict: Verdict, end: Rejected) -> bool:
    """Rule out whoever cannot help after `end`; tell whether anybody is left."""
    if turn.published or turn.candidate not in turn.chain:
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
    if candidate is turn.chain[0]:
        return True
    return not turn.published and turn.deadline - now >= ENOUGH_S


def _is_passed_over(on: Turn, met: Step, now: float) -> bool:
    """Tell whether the next model should be asked instead of waiting, or ending, here."""
    if isinstance(met, AwaitBreaker):
        return True
    if isinstance(met, TryAgain):
        return now + met.after_s >= on.deadline
    # A dearer fallback that the budget does not allow is no reason to end the request.
    return isinstance(met, Rejected) and on.candidate is not on.chain[0]


def _wait_for(turn: Turn, obstacles: list[Step]) -> Step:
    """Return the first obstacle; without any, everybody was ruled out, or has no time left."""
    if not obstacles:
        return next(reversed(turn.progress.ruled_out.values()))
    first = obstacles[0]
    if isinstance(first, TryAgain):
        turn.progress.wait_out(first.code)
    elif isinstance(first, AwaitBreaker):
        return await_breaker(turn, first.code)
    return first
