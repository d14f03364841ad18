"""What the probes are told: answers from what is known already, never a call to the outside."""

from collections.abc import Sequence
from typing import Protocol

from jiraiya_events.domain.clock import Clock
from jiraiya_events.engine.engine import Statistics
from jiraiya_events.engine.session import SessionState
from jiraiya_events.generation.breaker import State
from jiraiya_events.generation.breakers import Breakers
from jiraiya_events.sidecar.health import Check, Status


class Watched(Protocol):
    """What health looks at."""

    @property
    def started(self) -> bool:
        """Return whether the service has joined its group."""
        ...

    @property
    def store_error(self) -> str | None:
        """Return why the store does not work."""
        ...

    @property
    def breakers(self) -> Breakers:
        """Return the models' breakers."""
        ...

    def statistics(self) -> Statistics:
        """Return the engine's snapshot."""
        ...

    def broker_silent_s(self) -> float:
        """Return how long the broker has not answered."""
        ...

    def joined(self) -> bool:
        """Return whether the group has told us of an assignment, empty or not."""
        ...


SILENT_S = 15.0
"""A broker that has not answered for this long counts as away: one session time-out and a half."""


class ServiceHealth:
    """The sidecar's `HealthSource` over the running service."""

    def __init__(self, service: Watched, clock: Clock) -> None:
        self._service = service
        self._clock = clock

    def live(self) -> Sequence[Check]:
        """Check that the event loop turns: this answer is the proof."""
        return [self._check("event_loop", Status.OK)]

    def startup(self) -> Sequence[Check]:
        """Check that the service has joined its group."""
        started = self._service.started
        detail = "" if started else "waiting for Kafka"
        return [self._check("started", Status.OK if started else Status.FAILING, detail)]

    def ready(self) -> Sequence[Check]:
        """Check broker, assignment, sessions, breaker and store."""
        return [
            self._broker(),
            self._assignment(),
            self._sessions(),
            *self._breakers(),
            self._store(),
        ]

    def _broker(self) -> Check:
        if not self._service.started:
            return self._check("broker", Status.FAILING, "not connected yet")
        silent = self._service.broker_silent_s()
        if silent > SILENT_S:
            return self._check("broker", Status.FAILING, f"no answer for {silent:.0f} s")
        return self._check("broker", Status.OK)

    def _assignment(self) -> Check:
        statistics = self._service.statistics()
        if statistics.draining:
            return self._check("assignment", Status.FAILING, "draining")
        if not self._service.joined():
            return self._check("assignment", Status.FAILING, "not a member of the group yet")
        count = len(statistics.sessions)
        return self._check("assignment", Status.OK, f"{count} partitions" if count else "standby")

    def _sessions(self) -> Check:
        halted = [
            f"partition {s.partition.partition}: {s.reason}"
            for s in self._service.statistics().sessions
            if s.state is SessionState.HALTED
        ]
        if halted:
            return self._check("partitions", Status.FAILING, "; ".join(halted))
        return self._check("partitions", Status.OK)

    def _breakers(self) -> list[Check]:
        return [
            self._check(
                f"breaker:{breaker.name}",
                Status.OK if breaker.state is State.CLOSED else Status.DEGRADED,
                breaker.state.name.lower(),
            )
            for breaker in self._service.breakers
        ]

    def _store(self) -> Check:
        error = self._service.store_error
        return self._check("store", Status.DEGRADED if error else Status.OK, error or "")

    def _check(self, name: str, status: Status, detail: str = "") -> Check:
        return Check(name, status, detail, self._clock.now(), 0.0)
