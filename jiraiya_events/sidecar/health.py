"""Health as the probes ask for it: three questions, each a list of checks."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol


class Status(StrEnum):
    """How well a thing is; only `failing` turns a probe red."""

    OK = "ok"
    DEGRADED = "degraded"
    FAILING = "failing"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at, when (epoch seconds) and how long the look took (seconds)."""

    name: str
    status: Status
    detail: str = ""
    observed_at: float | None = None
    latency_s: float | None = None


class HealthSource(Protocol):
    """Knows how the service is; answers at once, from what was observed before."""

    def live(self) -> Sequence[Check]:
        """Check that runnable work moves; depends on nothing outside this process."""
        ...

    def startup(self) -> Sequence[Check]:
        """Check that all that must be there before the first record has been started."""
        ...

    def ready(self) -> Sequence[Check]:
        """Check that this replica takes part: broker there, partitions or a standby, no drain."""
        ...


def overall(checks: Sequence[Check]) -> Status:
    """Return the worst status of all; without a check nothing is wrong."""
    order = list(Status)
    return max((check.status for check in checks), key=order.index, default=Status.OK)


def health_body(checks: Sequence[Check], now: float) -> dict[str, Any]:
    """Return the JSON body: `status` and the checks with age (s) and latency (ms)."""
    return {"status": overall(checks), "checks": [_described(check, now) for check in checks]}


def _described(check: Check, now: float) -> dict[str, Any]:
    age_s = None if check.observed_at is None else round(max(0.0, now - check.observed_at), 3)
    latency_ms = None if check.latency_s is None else round(check.latency_s * 1000, 3)
    return {
        "name": check.name,
        "status": check.status,
        "detail": check.detail,
        "age_s": age_s,
        "latency_ms": latency_ms,
    }
