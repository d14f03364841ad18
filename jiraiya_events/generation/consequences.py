"""From a failed call or an unusable answer to the next step of its request.

A try is given back when the breaker's outage covers its call: from the oldest failure that
spoke against the provider when the breaker opened, until it closed again. That takes in the
failures that opened it, every call in flight at that moment, and failed trials. A 429 uses no
try, and neither do wrong credentials or an empty account. What cannot be given back: the tries
of a request that used up its last one before the breaker opened.
"""

from typing import Final

from jiraiya_events.domain.codes import ErrorCode, Stage
from jiraiya_events.generation.breaker import State
from jiraiya_events.generation.classification import Counts, Repair, Retry, Verdict
from jiraiya_events.generation.progress import SpentTry
from jiraiya_events.generation.retry_policy import RetryPolicy
from jiraiya_events.generation.steps import AwaitBreaker, Rejected, Step, TryAgain, UnderWay
from jiraiya_events.generation.turn import Turn

LOOK_AGAIN_S: Final = 0.3
"""How often a request looks whether another turn's call for it has ended."""


def after_failure(
    turn: Turn, verdict: Verdict, failure: SpentTry, retry: RetryPolicy, *, retry_after_s: float
) -> Step:
    """Decide after a call that failed; its permit is settled already."""
    if verdict.retry is Retry.AFTER_BREAKER or _is_of_an_outage(turn, verdict, failure):
        return _wait_for_provider(turn, verdict, retry, retry_after_s)
    return _spend_a_try(
        turn, verdict, failure, retry, retry_after_s=retry_after_s, stage=Stage.GENERATE
    )


def after_flaw(turn: Turn, verdict: Verdict, retry: RetryPolicy) -> Step:
    """Decide after an answer that arrived whole but is no story; asking again need not wait."""
    return _spend_a_try(turn, verdict, None, retry, retry_after_s=0.0, stage=Stage.CHECK_OUTPUT)


def after_limit(turn: Turn, now: float, wait_s: float) -> TryAgain:
    """Decide after a 429, or before a call that the gate holds because of one."""
    code = ErrorCode.PROVIDER_RATE_LIMITED
    turn.progress.wait_out(code)
    return TryAgain(_until_deadline(turn, now, wait_s), code)


def behind_another_turn(turn: Turn, now: float) -> UnderWay:
    """Decide while another turn may be calling the model for the same request."""
    turn.progress.doubt_billing()
    return UnderWay(_until_deadline(turn, now, LOOK_AGAIN_S))


def _is_of_an_outage(turn: Turn, verdict: Verdict, failure: SpentTry) -> bool:
    counted = verdict.counts is not Counts.NO
    return counted and turn.breaker.outages.cover(failure.started_at, failure.ended_at)


def _wait_for_provider(
    turn: Turn, verdict: Verdict, retry: RetryPolicy, retry_after_s: float
) -> Step:
    progress = turn.progress
    progress.give_back(turn.breaker.outages)
    if turn.breaker.state is State.OPEN:
        progress.wait_out(verdict.code, parked_on=turn.breaker.name)
        return AwaitBreaker(verdict.code, turn.breaker.name)
    progress.wait_out(verdict.code)
    return TryAgain(max(retry.wait_s(progress.calls), retry_after_s), verdict.code)


def _spend_a_try(
    turn: Turn,
    verdict: Verdict,
    failure: SpentTry | None,
    retry: RetryPolicy,
    *,
    retry_after_s: float,
    stage: Stage,
) -> Step:
    progress = turn.progress
    spent_before = progress.repairs
    if verdict.counts is Counts.NO or failure is None:
        progress.spend(verdict.repair)
    else:
        progress.spend_on_failure(failure)
    repaired = verdict.repair is not Repair.NONE and verdict.repair in spent_before
    if verdict.retry is Retry.NO or repaired or retry.is_used_up(progress.tries):
        return Rejected(verdict.code, verdict.message, stage)
    progress.wait_out(verdict.code if verdict.code in _PROVIDER_CODES else None)
    wait_s = retry.wait_s(progress.tries) if failure is not None else 0.0
    return TryAgain(max(wait_s, retry_after_s), verdict.code)


def within_deadline(turn: Turn, now: float, step: Step) -> Step:
    """Shorten a wait that would pass the deadline, so that the request ends right then."""
    if isinstance(step, TryAgain):
        return TryAgain(_until_deadline(turn, now, step.after_s), step.code)
    return step


def _until_deadline(turn: Turn, now: float, wait_s: float) -> float:
    return max(0.0, min(wait_s, turn.deadline - now))


_PROVIDER_CODES = frozenset(code for code in ErrorCode if code.value.startswith("provider_"))
