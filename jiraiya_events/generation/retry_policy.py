"""How often and how late a failed call is tried again; computed here, waited for in a lane.

Bounded three times over: by a number of tries, by the request's deadline (the lane's business)
and by what the whole process may spend on retries.

Full jitter: a random share of an exponentially growing ceiling, see
https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
"""

import math
import random
from collections.abc import Callable
from typing import Final

from tenacity import RetryCallState, Retrying, stop_after_attempt, wait_exponential

from jiraiya_events.generation.retry_budget import RetryBudget

_RETRYING: Final = Retrying()


class RetryPolicy:
    """`max_tries` calls in all; waits from 0 to base x 2^n seconds, n from 0, never above cap."""

    def __init__(
        self,
        *,
        max_tries: int = 3,
        base_s: float = 0.5,
        cap_s: float = 30.0,
        chance: Callable[[], float] = random.random,
        budget: RetryBudget | None = None,
    ) -> None:
        self.budget = budget or RetryBudget()
        self._stop = stop_after_attempt(max_tries)
        self._ceiling = wait_exponential(multiplier=base_s, max=cap_s)
        self._chance = chance

    def is_used_up(self, tries: int) -> bool:
        """Tell whether no further try is left after `tries` of them."""
        return self._stop(_after(tries))

    def wait_s(
        self, tries: int, now: float, *, at_least_s: float = 0.0, at_most_s: float = math.inf
    ) -> float | None:
        """Return the seconds to wait after the try number `tries`, from 1.

        With `at_most_s` or more there is no next try, and it costs the budget nothing. None when
        the budget has nothing for it in that time.
        """
        jittered = self._chance() * self._ceiling(_after(max(tries, 1)))
        wait_s = max(jittered, at_least_s)
        if wait_s >= at_most_s:
            return wait_s
        affordable_in_s = self.budget.take(now, at_most_s)
        return None if affordable_in_s is None else max(wait_s, affordable_in_s)


def _after(tries: int) -> RetryCallState:
    state = RetryCallState(_RETRYING, None, (), {})
    state.attempt_number = tries
    return state
