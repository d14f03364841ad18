"""How many calls of one model may be under way: found out from answers, refusals and latency.

What an endpoint can take is not known, changes, and may be shared with others, so it is looked for
as TCP looks for what a path can take (RFC 5681: slow start, a threshold, additive increase), with
gentler cuts and a memory of where they were needed.

- It starts at 10 and grows by 1 per answer until the first refusal: it doubles in the time of one
  call. Beyond the *threshold* it grows by 1 per round of calls, and only while it is used up.
- A refusal tells that the calls beside it, `others`, are as many as fit: the limit falls to them at
  once, and grows back by 1 per answer. So what was refused is sent again when another call ends,
  nobody has to pause, and a burst of refusals does not come twice.
- The threshold falls to 0.9 of what fitted: of its level, or of the calls under way just now but
  for the refused one where they are fewer, by half at most. That is one *cut*; refusals in the
  next 2 s belong to it, and each takes 1 off as long as there are fewer `others`. (Their number
  itself would say too little: answers of the same burst may have come first.) If no call that
  began after the last cut was answered, the provider refuses everybody, which tells nothing about
  how many fit: then the level falls by a tenth, and an outage of refusals costs little afterwards.
- What fitted at the cut is the *ceiling* for 60 s: probing costs a refusal, and is paid once. A
  refusal below it shows that the number of calls is not all there is to it (others share the
  endpoint, or a rate is limited): then the ceiling is forgotten until the next cut.
- Latency cuts as well, see `generation.latency`.

Simulated (`tests/simulation`) against an endpoint that admits 40 at once and answers in 0.5 s, 80
a second at best: this gives 79 a second and 0.02 % refused; without the ceiling 76 and 0.5 %, and
with cuts to a half as well 61. Where one call in a hundred is refused by chance, 35 to 53 a second
go through; 28 to 37 if everybody paused for a second at each, 8 to 14 if no ceiling were
forgotten.

Plain objects, no clock: times are seconds since the Unix epoch.
"""

import math
from typing import Final

from jiraiya_events.generation.latency import Advice, Latency

FIRST: Final = 10
KEPT_AT_A_CUT: Final = 0.9
CUT_S: Final = 2.0
CEILING_S: Final = 60.0


class AdaptiveLimit:
    """The limit of one model, from 1 to `most` calls."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._value = float(min(FIRST, most))
        self._threshold = math.inf
        self._ceiling = math.inf
        self._by_number = True
        self._cut_at = -math.inf
        self._level = self._lowest = 0.0
        self._answered = False
        self._latency = Latency()
        self._before_halving = 0.0

    @property
    def calls(self) -> int:
        """How many calls may be under way."""
        return int(self._value)

    def answered(
        self, now: float, occupied: int, seconds: float, output_tokens: int | None
    ) -> None:
        """Take in an answer that took `seconds`; it is one of the `occupied` slots."""
        self._answered = self._answered or now - seconds >= self._cut_at
        if occupied < self.calls:
            return  # nobody waits for more
        advice = self._latency.seen(now, occupied, seconds, output_tokens)
        if advice is Advice.HALVE:
            self._before_halving = self._value
            self._threshold = self._value = max(1.0, self._value / 2)
        elif advice is Advice.RESTORE:
            self._threshold = max(self._threshold, self._before_halving)
        else:
            self._grow(now)

    def refused(self, now: float, others: int, just_now: int) -> None:
        """Take in a refusal beside `others` calls that are, or are about to be, under way.

        `just_now`, when the refused one was sent, up to so many were under way, itself included.
        """
        if self._is_recent(now, CUT_S):
            one_less = max(self._level - 1, min(self._level, others))
            self._level = max(self._lowest, one_less)
        else:
            self._begin_cut(now, just_now - 1)
        self._threshold = max(1.0, self._level * KEPT_AT_A_CUT)
        self._ceiling = max(1.0, self._level) if self._by_number else math.inf
        self._value = max(1.0, min(self._value, self._threshold, others))
        self._latency.interrupted()

    def _begin_cut(self, now: float, fitted: int) -> None:
        known = math.isfinite(self._threshold)
        level = max(self._value, self._threshold) if known else self._value
        self._lowest = level / 2 if self._answered else level
        self._level = max(self._lowest, min(level, fitted))
        self._by_number = not (
            self._is_recent(now, CEILING_S) and fitted + 1 <= self._ceiling < math.inf
        )
        self._answered = False
        self._cut_at = now

    def _grow(self, now: float) -> None:
        step = 1.0 if self._value < self._threshold else 1.0 / self._value
        most = float(self._most)
        if self._is_recent(now, CEILING_S):
            most = min(most, self._ceiling)
        self._value = max(self._value, min(self._value + step, most))

    def _is_recent(self, now: float, seconds: float) -> bool:
        """Tell whether the latest cut is so new, also after a clock was set back."""
        return 0.0 <= now - self._cut_at < seconds
