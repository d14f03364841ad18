"""Tells whether calls take longer because of how many of them are under way.

Netflix's `Gradient2Limit` (github.com/Netflix/concurrency-limits) compares a short average of
the response time with a long one and scales the limit by their ratio. Here, too, averages are
compared, never a minimum: one call may take five times as long as another. But an endpoint that
queues becomes slow for as long as the limit is high, so a long average would follow, and call that
ordinary; and one that is slow for reasons of its own does not become quicker by fewer calls. So it
is tried out: when calls take twice as long as they used to, and those begun after that was seen do
so too, the limit is halved. If their time falls with it, they were queueing, and it stays at that.
If not, the new time is the ordinary one, and the limit comes back.

Averages are of logarithms, over at least 64 calls and two rounds of them, since latencies spread
lognormally: with a sigma of 0.5 such an average is off by 6 %, so that twice the time is 8
standard deviations away (with a sigma of 1 it is 4). Time is counted per output token, as stories
have different lengths; what passes before the first token counts as 50 more.
"""

import math
from enum import Enum, auto
from typing import Final

_CALLS: Final = 64
_ROUNDS: Final = 2
_SLOWER: Final = math.log(2.0)
_QUICKER: Final = math.log(1.5)
_HELPED: Final = math.log(0.75)
_TOKENS_BEFORE_THE_FIRST: Final = 50
_USUAL_TOKENS: Final = 300


class Advice(Enum):
    """What the latest call's time says about the limit."""

    GO_ON = auto()
    HALVE = auto()
    RESTORE = auto()


class Latency:
    """The latency of one model while as many calls as allowed are under way."""

    def __init__(self) -> None:
        self._usual: float | None = None
        self._suspected = False
        self._before_halving: float | None = None
        self._since = -math.inf
        self._needed = _CALLS
        self._sum = 0.0
        self._count = 0

    def seen(self, now: float, occupied: int, seconds: float, output_tokens: int | None) -> Advice:
        """Take in a call that has just ended, one of `occupied` side by side."""
        if seconds <= 0.0 or now - seconds < self._since:
            return Advice.GO_ON  # a clock was set back, or it began before what is tried out
        tokens = _USUAL_TOKENS if output_tokens is None else output_tokens
        self._needed = self._needed if self._count else max(_CALLS, _ROUNDS * occupied)
        self._sum += math.log(seconds / (tokens + _TOKENS_BEFORE_THE_FIRST))
        self._count += 1
        if self._count < self._needed:
            return Advice.GO_ON
        average = self._sum / self._count
        self._start_over()
        return self._judge(now, average)

    def interrupted(self) -> None:
        """Forget what is being tried out: something else has changed the limit."""
        self._before_halving = None
        self._suspected = False
        self._start_over()

    def _start_over(self) -> None:
        self._sum, self._count = 0.0, 0

    def _judge(self, now: float, average: float) -> Advice:
        before, self._before_halving = self._before_halving, None
        if before is not None and average > before + _HELPED:
            self._usual = average
            return Advice.RESTORE
        if self._usual is None or average < self._usual - _QUICKER:
            self._usual = average
        slow = average > self._usual + _SLOWER
        certain = slow and (self._suspected or before is not None)
        self._suspected = slow and not certain
        if slow:
            self._since = now
        if certain:
            self._before_halving = average
        return Advice.HALVE if certain else Advice.GO_ON
