"""Where a session is in its life: what each state means stands in `session`."""

from enum import StrEnum


class SessionState(StrEnum):
    """Where a session is in its life."""

    INIT = "init"
    RUNNING = "running"
    SUSPENDED = "suspended"
    DRAINING = "draining"
    HALTED = "halted"
    CLOSED = "closed"
