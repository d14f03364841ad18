"""What the probes are told: answers from what is known already, never a call to the outside."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from jiraiya_events.adapters.kafka.cancelled_feed import CancelledFeed
from jiraiya_events.bootstrap.vigil import Vigil, holds_back
from jiraiya_events.domain.clock import Clock
from jiraiya_events.domain.looks import Look
from jiraiya_events.engine.statistics import Statistics
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
    def store_heard(self) -> Look | None:
        """Return the store's last answer."""
        ...

    @property
    def cancelled_feed(self) -> CancelledFeed:
        """Return the reader of cancellations."""
        ...

    @property
    def breakers(self) -> Breakers:
        """Return the models' breakers."""
        ...

    def statistics(self) -> Statistics:
        """Return the engine's snapshot."""
        ...

    @property
    def vigil(self) -> Vigil:
        """Return what keeps watch."""
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
        """Check that the event loop turns (this answer is the proof) and runnable work moves."""
        stuck = self._service.vigil.stuck()
        moves = Status.FAILING if stuck else Status.OK
        return [
            self._check("event_loop", Status.OK),
            self._check("progress", moves, "; ".join(stuck)),
        ]

    def startup(self) -> Sequence[Check]:
        """Check that the service has joined its group."""
        started = self._service.started
        lacks = "; ".join(str(lack) for lack in self._service.vigil.lacks)
        detail = "" if started else lacks or "waiting for Kafka"
        return [self._check("started", Status.OK if started else Status.FAILING, detail)]

    def ready(self) -> Sequence[Check]:
        """Check broker, assignment, sessions, breaker, store and cancellations."""
        return [
            self._broker(),
            self._needs(),
            self._assignment(),
            self._sessions(),
            *self._breakers(),
            self._store(),
            self._cancellations(),
        ]

    def _broker(self) -> Check:
        if not self._service.started:
            return self._check("broker", Status.FAILING, "not connected yet")
        silent, heard = self._service.vigil.silent_s(), self._service.vigil.heard
        if silent > SILENT_S:
            return self._check("broker", Status.FAILING, f"no answer for {silent:.0f} s", heard)
        return self._check("broker", Status.OK, "", heard)

    def _needs(self) -> Check:
        lacks = "; ".join(str(lack) for lack in self._service.vigil.lacks)
        return self._check("topics_and_rights", Status.FAILING if lacks else Status.OK, lacks)

    def _assignment(self) -> Check:
        statistics = self._service.statistics()
        if statistics.draining:
            return self._check("assignment", Status.FAILING, "draining")
        if not self._service.joined():
            return self._check("assignment", Status.FAILING, "not a member of the group yet")
        count = len(statistics.sessions)
        return self._check("assignment", Status.OK, f"{count} partitions" if count else "standby")

    def _sessions(self) -> Check:
        troubles = "; ".join(self._service.vigil.troubles())
        return self._check("partitions", Status.FAILING if troubles else Status.OK, troubles)

    def _breakers(self) -> list[Check]:
        parked = self._service.statistics().parked
        return [
            self._check(
                f"breaker:{breaker.name}",
                Status.DEGRADED if holds_back(breaker, parked) else Status.OK,
                breaker.state.name.lower(),
            )
            for breaker in self._service.breakers
        ]

    def _store(self) -> Check:
        error, heard = self._service.store_error, self._service.store_heard
        return self._check("store", Status.DEGRADED if error else Status.OK, error or "", heard)

    def _cancellations(self) -> Check:
        feed = self._service.cancelled_feed
        wrong = feed.trouble is not None and not feed.absent
        return self._check(
            "cancellations", Status.DEGRADED if wrong else Status.OK, feed.trouble or ""
        )

    def _check(
        self, name: str, status: Status, detail: str = "", heard: Look | None = None
    ) -> Check:
        """Return a check on what is known in here, or on the last answer from outside."""
        now = self._clock.now()
        if heard is None:
            return Check(name, status, detail, now, 0.0)
        age_s = asyncio.get_running_loop().time() - heard.at_s
        return Check(name, status, detail, now - age_s, heard.took_s)
