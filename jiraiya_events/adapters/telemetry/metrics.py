"""Every metric of the service, declared once; the names are the contract's (section 8).

No user id, request id, key or prompt is ever a label. Durations are in seconds.
"""

import platform
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    Info,
    ProcessCollector,
)
from prometheus_client.metrics import disable_created_metrics

# From a cached answer to the longest deadline; most stories take 1 to 30 s.
STORY_SECONDS: Final = (
    0.05, 0.1, 0.25, 0.5, 1, 1.5, 2, 3, 4, 6, 8, 12, 20, 30, 45, 60, 120, 300, 600,
)  # fmt: skip
# A free slot is taken in a millisecond; behind an open breaker a record waits for minutes.
WAIT_SECONDS: Final = (
    0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600,
)  # fmt: skip
# A commit takes about 27 ms, the linger 50 ms; the rest of what is ours is below that.
OURS_SECONDS: Final = (
    0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10,
)  # fmt: skip


def new_registry() -> CollectorRegistry:
    """Return a registry with the process's own metrics (memory, CPU, descriptors, collections)."""
    # A `_created` series beside every counter and histogram doubles the page and tells nothing.
    disable_created_metrics()  # type: ignore[no-untyped-call]  # the client leaves it untyped
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


class Metrics:
    """The service's metrics on one registry; two instances need two registries."""

    def __init__(self, registry: CollectorRegistry, *, version: str) -> None:
        self.registry: Final = registry

        # The way of a record.
        self.consumed: Final = Counter(
            "jiraiya_events_consumed_total", "Records accepted.", ["topic"], registry=registry
        )
        self.completed: Final = Counter(
            "jiraiya_events_completed_total",
            "Requests whose terminal event is committed; code is `none` for a story.",
            ["outcome", "code"],
            registry=registry,
        )
        self.event_duration: Final = _seconds(
            registry,
            "jiraiya_event_duration_seconds",
            "From the record's timestamp to its commit.",
            STORY_SECONDS,
        )
        self.event_wait: Final = _seconds(
            registry, "jiraiya_event_wait_seconds", "From read to started.", WAIT_SECONDS
        )
        self.overhead: Final = _seconds(
            registry,
            "jiraiya_overhead_seconds",
            "Time of a request that is ours, not the model's.",
            OURS_SECONDS,
        )
        self.in_flight: Final = Gauge(
            "jiraiya_in_flight", "Records being worked on now.", registry=registry
        )
        self.waiting: Final = Gauge(
            "jiraiya_waiting", "Accepted records that wait for their turn.", registry=registry
        )
        self.dead_letters: Final = Counter(
            "jiraiya_dead_letters_total", "Dead letters committed.", ["code"], registry=registry
        )

        # Kafka.
        self.commit_duration: Final = _seconds(
            registry, "jiraiya_commit_duration_seconds", "One transaction.", OURS_SECONDS
        )
        self.transactions: Final = Counter(
            "jiraiya_transactions_total",
            "Transactions: committed, fenced, refused or failed.",
            ["result"],
            registry=registry,
        )
        self.rebalances: Final = Counter(
            "jiraiya_rebalances_total", "Assignments received.", registry=registry
        )

        # The model.
        self.llm_requests: Final = Counter(
            "jiraiya_llm_requests_total",
            "Model calls by how they ended.",
            ["model", "outcome"],
            registry=registry,
        )
        self.llm_duration: Final = Histogram(
            "jiraiya_llm_request_duration_seconds",
            "One model call.",
            ["model"],
            buckets=STORY_SECONDS,
            registry=registry,
        )
        self.llm_first_token: Final = Histogram(
            "jiraiya_llm_time_to_first_token_seconds",
            "From the start of a streamed call to its first text.",
            ["model"],
            buckets=STORY_SECONDS,
            registry=registry,
        )
        self.llm_tokens: Final = Counter(
            "jiraiya_llm_tokens_total",
            "Tokens: input (cached_input is part of it), output (reasoning is part of it).",
            ["model", "kind"],
            registry=registry,
        )
        self.llm_cost: Final = Counter(
            "jiraiya_llm_cost_usd_total",
            "US dollars; calls of unknown price are missing.",
            ["model"],
            registry=registry,
        )
        self.crash_cut: Final = Counter(
            "jiraiya_requests_cut_by_crash_total",
            "Requests at work when an earlier process here died: at most so many calls of it, "
            "paid for or not, are made again.",
            registry=registry,
        )
        self.breaker_state: Final = Gauge(
            "jiraiya_circuit_breaker_state",
            "0 closed, 1 half-open, 2 open.",
            ["name"],
            registry=registry,
        )

        # The result store.
        self.store_lookups: Final = Counter(
            "jiraiya_store_lookups_total",
            "Look-ups: hit, answer, miss, busy, conflict or error.",
            ["result"],
            registry=registry,
        )
        self.cache_lookups: Final = Counter(
            "jiraiya_response_cache_lookups_total",
            "Looks into the response cache: hit, miss or error.",
            ["result"],
            registry=registry,
        )

        # Progress, which is best effort.
        self.progress_events: Final = Counter(
            "jiraiya_progress_events_total",
            "Events of `story.progress`: sent, or dropped.",
            ["result"],
            registry=registry,
        )

        build = Info("jiraiya_build", "What is running.", registry=registry)
        build.info({"version": version, "python": platform.python_version()})


def _seconds(
    registry: CollectorRegistry, name: str, documentation: str, buckets: tuple[float, ...]
) -> Histogram:
    return Histogram(name, documentation, buckets=buckets, registry=registry)
