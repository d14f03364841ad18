"""The first form of the gate: after a 429 no call of that model starts before Retry-After."""

from dataclasses import dataclass
from typing import Final

LONGEST_HOLD_S: Final = 60.0
_FIRST_HOLD_S: Final = 1.0


@dataclass(slots=True)
class _Hold:
    until: float = 0.0
    refused_in_a_row: int = 0


class RetryAfterGate:
    """Holds a model as long as the provider asks, bounded; without its word 1 s, doubling."""

    def __init__(self, longest_s: float = LONGEST_HOLD_S) -> None:
        self._longest_s = longest_s
        self._holds: dict[str, _Hold] = {}

    def admit(self, model: str, now: float) -> float:
        """Return 0 when the call may start, else seconds to wait."""
        hold = self._holds.get(model)
        return 0.0 if hold is None else max(0.0, hold.until - now)

    def leave(self, model: str) -> None:
        """Do nothing: this form does not count calls."""

    def accepted(self, model: str) -> None:
        """End the row of refusals."""
        hold = self._holds.get(model)
        if hold is not None:
            hold.refused_in_a_row = 0

    def limited(self, model: str, now: float, retry_after_s: float | None) -> None:
        """Hold every call of the model; calls refused together count as one refusal."""
        hold = self._holds.setdefault(model, _Hold())
        if now >= hold.until:
            hold.refused_in_a_row += 1
        if retry_after_s is None:
            retry_after_s = _FIRST_HOLD_S * 2.0 ** min(hold.refused_in_a_row - 1, 10)
        hold.until = max(hold.until, now + min(retry_after_s, self._longest_s))
