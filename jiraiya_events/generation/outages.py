"""When the provider was down or refusing, remembered for as long as a deadline can lie back."""

import math
from collections import deque
from dataclasses import dataclass, field

from jiraiya_events.domain.codes import ErrorCode

# The longest deadline (600 s) and a margin for records that are read late.
REMEMBERED_S = 660.0


@dataclass(slots=True)
class Outage:
    """From the first failure that led to it until calls went through again.

    `codes` are the reasons with the instant each of them began; the first is the opening.
    """

    failing_since: float
    codes: list[tuple[float, ErrorCode]] = field(default_factory=list)
    closed_at: float = math.inf

    def code_at(self, instant: float) -> ErrorCode | None:
        """Return why no call was allowed at `instant`, None when calls were allowed."""
        if instant >= self.closed_at:
            return None
        begun = [code for at, code in self.codes if at <= instant]
        return begun[-1] if begun else None


class Outages:
    """The outages of one model, the latest last; its breaker tells them, and its gate others."""

    def __init__(self, remembered_s: float = REMEMBERED_S) -> None:
        self._remembered_s = remembered_s
        self._outages: deque[Outage] = deque()

    def begin(self, now: float, code: ErrorCode, failing_since: float) -> None:
        """Note that calls are held back, or again after trials, for the reason `code`."""
        if self._outages and self._outages[-1].closed_at == math.inf:
            self._note(self._outages[-1], now, code)
            return
        self._forget(now)
        self._outages.append(Outage(failing_since, [(now, code)]))

    def end(self, now: float) -> None:
        """Note that calls go through again."""
        if self._outages and self._outages[-1].closed_at == math.inf:
            self._outages[-1].closed_at = now

    def code_at(self, instant: float) -> ErrorCode | None:
        """Return what held requests at `instant`; half-open counts as held, as most wait."""
        begun = (one for one in reversed(self._outages) if one.codes[0][0] <= instant)
        latest = next(begun, None)
        return None if latest is None else latest.code_at(instant)

    def cover(self, started_at: float, ended_at: float) -> bool:
        """Tell whether a call that failed belongs to an outage or to the way into it."""
        return any(
            started_at < outage.closed_at and ended_at >= outage.failing_since
            for outage in self._outages
        )

    @staticmethod
    def _note(outage: Outage, now: float, code: ErrorCode) -> None:
        if outage.codes[-1][1] is not code:
            outage.codes.append((now, code))

    def _forget(self, now: float) -> None:
        while self._outages and self._outages[0].closed_at < now - self._remembered_s:
            self._outages.popleft()
