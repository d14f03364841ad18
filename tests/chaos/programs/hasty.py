"""Waits for the dead that are as short as the broker allows: 6 s instead of 10."""

from jiraiya_events.adapters.kafka import edge
from jiraiya_events.generation import leases


def hasten() -> None:
    """Shorten the session and the leases of the service that this process is about to be.

    The living say so every second: one that is held up for 3 s is not taken for dead.
    """
    for owner, name, value in (
        (edge, "SESSION_TIMEOUT_MS", 6_000),
        (edge, "HEARTBEAT_MS", 1_000),
        (leases, "LEASE_S", 6.0),
        (leases, "RENEW_EVERY_S", 1.0),
    ):
        assert hasattr(owner, name), name
        setattr(owner, name, value)
