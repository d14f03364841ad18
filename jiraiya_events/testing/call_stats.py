"""What the faulty endpoint saw: the witness against which pay-once is judged."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from jiraiya_events.testing.faults import Fault


@dataclass(slots=True)
class CallStats:
    """Counts since the start or the last reset; `in_flight` survives a reset."""

    calls: int = 0
    in_flight: int = 0
    max_in_flight: int = 0
    aborted: int = 0
    refused_admission: int = 0
    moderations: int = 0
    faults: Counter[Fault] = field(default_factory=Counter)
    calls_by_key: Counter[str] = field(default_factory=Counter)
    stories_by_key: Counter[str] = field(default_factory=Counter)

    def arrived(self, key: str | None) -> None:
        """Count a call, whatever becomes of it."""
        self.calls += 1
        if key is not None:
            self.calls_by_key[key] += 1

    def entered(self, fault: Fault) -> None:
        """Count a call that passed admission; `left` must follow."""
        self.faults[fault] += 1
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)

    def left(self) -> None:
        """Count a call as answered, dropped or aborted."""
        self.in_flight -= 1

    def told(self, key: str | None) -> None:
        """Count a whole story that was sent off."""
        if key is not None:
            self.stories_by_key[key] += 1

    def fresh(self) -> "CallStats":
        """Return counts at zero, but for the calls that are in flight now."""
        return CallStats(in_flight=self.in_flight, max_in_flight=self.in_flight)

    def snapshot(self) -> dict[str, Any]:
        """Return the counts as JSON values."""
        return {
            "calls": self.calls,
            "in_flight": self.in_flight,
            "max_in_flight": self.max_in_flight,
            "aborted": self.aborted,
            "refused_admission": self.refused_admission,
            "moderations": self.moderations,
            "faults": dict(self.faults),
            "calls_by_key": dict(self.calls_by_key),
            "stories_by_key": dict(self.stories_by_key),
        }
