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
from jiraiya_events.generation.classification import Counts, Retry, Verdict
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
    if verdict.retry is Retry.AFTER_RETRY_AFTER:
        # The gate knows by now for how long, and whether another model should be asked instead.
        turn.progress.wait_out(verdict.code)
        return TryAgain(0.0, verdict.code)
    if verdict.retry is Retry.AFTER_BREAKER or _is_of_an_outage(turn, verdict, failure):
        return _wait_for_provider(turn, verdict, failure, retry, retry_after_s)
    end = Rejected(verdict.code, verdict.message, Stage.GENERATE)
    if not _has_another_try(turn, verdict, failure, retry):
        return end
    wait_s = _retry_in_s(turn, turn.used.tries, failure, retry, retry_after_s)
    return end if wait_s is None else TryAgain(wait_s, verdict.code)


def after_flaw(turn: Turn, verdict: Verdict, retry: RetryPolicy, now: float) -> Step:
    """Decide after an answer that arrived whole but is no story.

    Asking again waits for nothing but the process's budget of retries.
    """
    end = Rejected(verdict.code, verdict.message, Stage.CHECK_OUTPUT)
    if not _has_another_try(turn, verdict, None, retry):
        return end
    wait_s = retry.budget.take(now, max(0.0, turn.deadline - now))
    return end if wait_s is None else TryAgain(wait_s, verdict.code)


def after_known_flaw(turn: Turn, verdict: Verdict) -> Rejected | None:
    """Decide on the flaw of an answer whose try is counted already; None: ask again."""
    turn.used.repairs |= verdict.repair
    if verdict.retry is Retry.NO:
        return Rejected(verdict.code, verdict.message, Stage.CHECK_OUTPUT)
    return None


def behind_another_turn(turn: Turn, now: float) -> UnderWay:
    """Decide while another turn may be calling the model for the same request."""
    turn.progress.doubt_billing()
    return UnderWay(until_deadline(turn, now, LOOK_AGAIN_S))


def _is_of_an_outage(turn: Turn, verdict: Verdict, failure: SpentTry) -> bool:
    counted = verdict.counts is not Counts.NO
    return counted and turn.breaker.outages.cover(failure.started_at, failure.ended_at)


def _wait_for_provider(
    turn: Turn, verdict: Verdict, failure: SpentTry, retry: RetryPolicy, retry_after_s: float
) -> Step:
    turn.used.give_back(turn.breaker.outages)
    if turn.breaker.state is State.OPEN:
        return await_breaker(turn, verdict.code)
    turn.progress.wait_out(verdict.code)
    wait_s = _retry_in_s(turn, turn.progress.calls, failure, retry, retry_after_s)
    # Its tries are not used up: without a fallback it waits until its time is.
    return TryAgain(turn.deadline - failure.ended_at if wait_s is None else wait_s, verdict.code)


def await_breaker(turn: Turn, code: ErrorCode) -> AwaitBreaker:
    """Park until this model may be called again."""
    turn.progress.wait_out(code, (turn.model,))
    return AwaitBreaker(code, turn.model)


def _has_another_try(
    turn: Turn, verdict: Verdict, failure: SpentTry | None, retry: RetryPolicy
) -> bool:
    """Use up a try, and tell whether there is another.

    What one more try can mend gets that one, whatever else was tried.
    """
    used = turn.used
    mended_before = verdict.repair in used.repairs
    if verdict.counts is Counts.NO or failure is None:
        used.spend(verdict.repair)
    else:
        used.spend_on_failure(failure)
    if verdict.retry is Retry.NO:
        return False
    if mended_before if verdict.retry is Retry.ONCE else retry.is_used_up(used.tries):
        return False
    turn.progress.wait_out(verdict.code if verdict.code in _PROVIDER_CODES else None)
    return True


def _retry_in_s(
    turn: Turn, tries: int, failure: SpentTry, retry: RetryPolicy, retry_after_s: float
) -> float | None:
    left_s = max(0.0, turn.deadline - failure.ended_at)
    return retry.wait_s(tries, failure.ended_at, at_least_s=retry_after_s, at_most_s=left_s)


def within_deadline(turn: Turn, now: float, step: Step) -> Step:
    """Shorten a wait that would pass the deadline, so that the request ends right then."""
    if isinstance(step, TryAgain):
        return TryAgain(until_deadline(turn, now, step.after_s), step.code)
    return step


def until_deadline(turn: Turn, now: float, wait_s: float) -> float:
    """Return `wait_s`, or less when the deadline comes first."""
    return max(0.0, min(wait_s, turn.deadline - now))


_PROVIDER_CODES = frozenset(code for code in ErrorCode if code.value.startswith("provider_"))
