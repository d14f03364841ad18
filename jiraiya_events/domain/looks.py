"""How an outside thing was last seen."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Look:
    """The last answer: when it came, by the event loop's clock, and how long it took (seconds)."""

    at_s: float
    took_s: float
