"""How many retries the whole process may make, beside the calls it makes anyway.

A token bucket: every first call brings a share of a token, time brings some, each retry takes one.
While a provider struggles, retries so stay a bounded share of its load instead of multiplying it.
A retry that finds no token takes one of those to come and is put off until then. One whose request
has not so much time is not made, and takes none: so what is owed never passes what comes in the
time of a request. See "The retry budget" in
https://finagle.github.io/blog/2016/02/08/retry-budgets/
"""

import math
from typing import Final

LOOKED_BACK_S: Final = 10.0
"""Over about so long the rate of calls is taken, which tells how soon tokens come."""


class RetryBudget:
    """`share` tokens a call, `per_second` beside them, at most `reserve` kept for later."""

    def __init__(
        self, *, share: float = 0.2, per_second: float = 5.0, reserve: float = 50.0
    ) -> None:
        self._share = share
        self._per_second = per_second
        self._reserve = reserve
        self._tokens = reserve
        self._calls = 0.0
        self._as_of = 0.0

    def called(self, now: float) -> None:
        """Note a call that is no retry."""
        self._advance(now)
        self._calls += 1.0
        self._tokens = min(self._reserve, self._tokens + self._share)

    def take(self, now: float, at_most_s: float) -> float | None:
        """Take a token and return in how many seconds it will be there.

        None, and no token is taken, when that would be in more than `at_most_s`.
        """
        self._advance(now)
        refill_per_s = self._per_second + self._share * self._calls / LOOKED_BACK_S
        wait_s = max(0.0, (1.0 - self._tokens) / refill_per_s)
        if wait_s > at_most_s:
            return None
        self._tokens -= 1.0
        return wait_s

    def _advance(self, now: float) -> None:
        elapsed = max(0.0, now - self._as_of)
        self._as_of = now
        self._tokens = min(self._reserve, self._tokens + elapsed * self._per_second)
        self._calls *= math.exp(-elapsed / LOOKED_BACK_S)
