"""One row of the benchmark: a ratio, its goal, and the samples it was made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Goal:
    """What a ratio should reach (`at least`) or stay below (`at most`)."""

    side: Literal["at least", "at most"]
    value: float

    def met_by(self, ratio: float) -> bool:
        """Tell whether `ratio` is on the right side; the limit itself is."""
        return ratio >= self.value if self.side == "at least" else ratio <= self.value

    def __str__(self) -> str:
        """Return the goal as it stands in tables."""
        return f"{'≥' if self.side == 'at least' else '≤'} {self.value:g}"


@dataclass(frozen=True, slots=True)
class Measurement:
    """`ratios` has one number per round; the median is the result. Empty: not measured."""

    cell: str
    case: str
    what: str
    goal: Goal | None
    ratios: Sequence[float]
    n: int
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        """Return the median of the rounds."""
        return median(self.ratios) if self.ratios else None

    @property
    def spread(self) -> str:
        """Return the lowest and the highest round."""
        return f"{min(self.ratios):.3f} to {max(self.ratios):.3f}" if self.ratios else "-"

    @property
    def verdict(self) -> str:
        """Return `met`, `missed`, `shown` (no goal) or `not measured`."""
        if self.ratio is None:
            return "not measured"
        if self.goal is None:
            return "shown"
        return "met" if self.goal.met_by(self.ratio) else "missed"
