"""How much runs at once, how long, how often; and when calling the model is given a rest."""

from typing import Annotated

from pydantic import Field

from jiraiya_events.settings.values import LONGEST_DEADLINE_S, Group, Seconds, Whole


class Engine(Group):
    """Limits, deadlines and tries."""

    max_in_flight: Annotated[int, Field(ge=1, le=10_000)] = Field(
        default=100, description="Requests worked on at once, in this process."
    )
    drain_timeout_s: Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)] = Field(
        default=25, description="Seconds given to running requests at shutdown."
    )
    default_deadline_s: Annotated[Seconds, Field(le=LONGEST_DEADLINE_S)] = Field(
        default=300, description="Seconds to the deadline of a request that names none."
    )
    max_tries: Annotated[int, Field(ge=1, le=100)] = Field(
        default=3, description="Tries of each model for one attempt."
    )
    retry_base_s: Seconds = Field(
        default=0.5, description="Longest first wait; doubles with each try, full jitter."
    )
    retry_cap_s: Seconds = Field(default=30, description="Longest wait between two tries.")
    max_event_bytes: Annotated[int, Field(ge=1024, le=16 * 1024 * 1024)] = Field(
        default=32_768, description="Largest value of a request, in bytes."
    )
    replay_cap: Annotated[int, Field(ge=0)] = Field(
        default=5, description="How often a dead letter may be replayed."
    )


class Breaker(Group):
    """When the circuit breaker of a model opens, and how it closes again."""

    failure_rate: Annotated[float, Field(gt=0, le=1)] = Field(
        default=0.5, description="Share of failed calls in the window that opens it."
    )
    minimum_calls: Whole = Field(
        default=20, description="Calls in the window before the rate counts."
    )
    consecutive_failures: Whole = Field(
        default=10, description="Failures in a row that open it whatever the rate."
    )
    window_s: Seconds = Field(default=60, description="Length of the window.")
    open_s: Seconds = Field(default=15, description="Seconds open before trial calls.")
    half_open_calls: Whole = Field(
        default=3, description="Trial calls; it closes once too few of them can fail."
    )
    slow_call_s: Seconds | None = Field(
        default=None, description="A call slower than this counts as failed; off when not set."
    )
