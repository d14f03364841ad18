"""The trial calls of a half-open breaker."""


class Trials:
    """The calls of one half-open phase: never more at once and in all than the policy says."""

    def __init__(self, permitted: int, failure_rate: float) -> None:
        self._permitted = permitted
        self._rate = failure_rate
        self._admitted = 0
        self._good = 0
        self._bad = 0

    @property
    def free(self) -> int:
        """How many could start now."""
        return self._permitted - self._admitted

    def admit(self) -> bool:
        """Count one in; False when all are under way or done."""
        if not self.free:
            return False
        self._admitted += 1
        return True

    def give_back(self) -> None:
        """Let another one have the place of one that told nothing."""
        self._admitted -= 1

    def record(self, *, good: bool) -> None:
        """Take in how one ended."""
        self._good += good
        self._bad += not good

    def failed(self) -> bool:
        """Tell as soon as the outstanding trials cannot mend the rate."""
        return self._bad > 0 and self._bad >= self._rate * self._permitted

    def passed(self) -> bool:
        """Tell as soon as the outstanding trials cannot spoil the rate."""
        worst = self._permitted - self._good
        return worst == 0 or worst < self._rate * self._permitted
