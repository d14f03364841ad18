"""Model calls, breakers and the store, as generation tells of them, into metrics."""

from typing import Final

from jiraiya_events.adapters.telemetry.metrics import Metrics
from jiraiya_events.domain.story import PICO_PER_USD, Usage
from jiraiya_events.generation.breaker import State
from jiraiya_events.generation.ports import CallObserver

_KINDS: Final = (
    ("input", "input_tokens"),
    ("cached_input", "cached_input_tokens"),
    ("output", "output_tokens"),
    ("reasoning", "reasoning_tokens"),
)


class CallMetrics(CallObserver):
    """Counts what generation does."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def call_finished(
        self, model: str, outcome: str, seconds: float, usage: Usage | None, cost: int | None
    ) -> None:
        """Count the call, its tokens and its cost, given in pico-dollars."""
        metrics = self._metrics
        metrics.llm_requests.labels(model, outcome).inc()
        metrics.llm_duration.labels(model).observe(seconds)
        if usage is not None:
            for kind, field in _KINDS:
                if tokens := getattr(usage, field):
                    metrics.llm_tokens.labels(model, kind).inc(tokens)
        if cost is not None:
            metrics.llm_cost.labels(model).inc(cost / PICO_PER_USD)

    def first_text(self, model: str, seconds: float) -> None:
        """Count how long the first text took."""
        self._metrics.llm_first_token.labels(model).observe(seconds)

    def breaker_changed(self, name: str, state: State) -> None:
        """Show the new state of a breaker."""
        self._metrics.breaker_state.labels(name).set(state)

    def store_looked_up(self, result: str) -> None:
        """Count a look-up by its result."""
        self._metrics.store_lookups.labels(result).inc()

    def cache_looked_up(self, result: str) -> None:
        """Count a look into the response cache by its result."""
        self._metrics.cache_lookups.labels(result).inc()

    def cut_by_crash(self, count: int) -> None:
        """Count requests that were at work when an earlier process died."""
        self._metrics.crash_cut.inc(count)
