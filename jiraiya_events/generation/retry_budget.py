"""How many retries the whole process may make, beside the calls it makes anyway.

A token bucket: every first call brings a share of a token, time brings some, each retry takes one.
While a provider struggles, retries so stay a bounded share of its load instead of multiplying it.
A retry that finds no token is put off until one has come, never refused: no request fails because
others had to try again. See "The retry budget" in https://finagle.github.io/blog/2016/02/08/retry-budgets/
"""


class RetryBudget:
    """`share` tokens a call, `per_second` beside them, at most `reserve` kept for later."""

    def __init__(
        self, *, share: float = 0.2, per_second: float = 5.0, reserve: float = 50.0
    ) -> None:
        self._share = share
        self._per_second = per_second
        self._reserve = reserve
        self._tokens = reserve
        self._as_of = 0.0

    def called(self) -> None:
        """Note a call that is no retry."""
        self._tokens = min(self._reserve, self._tokens + self._share)

    def take(self, now: float) -> float:
        """Take a token and return in how many seconds it will be there."""
        elapsed = max(0.0, now - self._as_of)
        self._as_of = now
        self._tokens = min(self._reserve, self._tokens + elapsed * self._per_second) - 1.0
        return max(0.0, -self._tokens / self._per_second)
