"""The engine's limits, kept apart: one limit for all of them costs a quarter of throughput."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be under way at once; resuming starts at three quarters of a limit."""

    in_flight: int = 100
    """Handlers running at once, process-wide."""
    accepted: int = 1_500
    """Records read but not committed, per partition."""
    uncommitted: int = 500
    """Records finished that no transaction has taken up yet, per partition."""
    accepted_bytes: int = 32 * 1024 * 1024
    """Bytes of the records read but not committed, per partition."""
    accepted_in_all: int = 20_000
    """Records read but not committed, process-wide; shared equally among the partitions."""
    accepted_bytes_in_all: int = 128 * 1024 * 1024
    """Bytes of the records read but not committed, process-wide; shared equally."""
    linger_s: float = 0.05
    """How long a finished record waits for company before its transaction starts."""
    idle_s: float = 1.0
    """How long a session without work waits before it commits its bare position."""
    reopen_s: float = 1.0
    """How long a fenced session waits before it asks for its partition again."""
