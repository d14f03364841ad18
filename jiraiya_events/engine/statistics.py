"""Snapshots of the engine, for people, health checks and metrics."""

from dataclasses import dataclass

from jiraiya_events.engine.records import Partition
from jiraiya_events.engine.session import Session
from jiraiya_events.engine.session_state import SessionState


@dataclass(frozen=True, slots=True)
class SessionStatistics:
    """A snapshot of one session."""

    partition: Partition
    state: SessionState
    reason: str
    outstanding: int
    in_flight: int
    uncommitted: int
    lanes: int
    can_start: bool
    """Whether a lane would take a slot now."""
    next_expected: int | None
    frontier: int | None
    suspended_at_s: float | None = None
    """Since when it has been revoked and not assigned again, by the loop's clock."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """A snapshot of the engine."""

    in_flight: int
    slots: int
    waiting: int
    parked: int
    draining: bool
    sessions: tuple[SessionStatistics, ...]


def snapshot(session: Session) -> SessionStatistics:
    """Return how a session is now."""
    tracker = session.tracker
    return SessionStatistics(
        partition=session.partition,
        state=session.state,
        reason=session.reason,
        outstanding=tracker.outstanding if tracker is not None else 0,
        in_flight=session.in_flight,
        uncommitted=len(session.uncommitted),
        lanes=len(session.lanes),
        can_start=session.can_start,
        next_expected=tracker.next_expected if tracker is not None else None,
        frontier=tracker.frontier if tracker is not None else None,
        suspended_at_s=session.suspended_at_s,
    )
