"""The metrics of the contract: names, labels and where their values come from."""

import pytest
from prometheus_client import generate_latest

from jiraiya_events.adapters.telemetry.call_metrics import CallMetrics
from jiraiya_events.adapters.telemetry.concurrency import ConcurrencyLimit
from jiraiya_events.adapters.telemetry.engine_metrics import Ending, EngineMetrics
from jiraiya_events.adapters.telemetry.lag import ConsumerLag
from jiraiya_events.adapters.telemetry.metrics import Metrics, new_registry
from jiraiya_events.domain.story import Usage
from jiraiya_events.engine.errors import EngineError, Fenced, OutputsRefused, WriterFailed
from jiraiya_events.engine.records import Partition, Record
from jiraiya_events.generation.breaker import State

# Section 8 of the contract, but for the time to the first token, which comes with streaming.
CONTRACT = {
    "jiraiya_events_consumed_total": {"topic"},
    "jiraiya_events_completed_total": {"outcome", "code"},
    "jiraiya_event_duration_seconds_count": set(),
    "jiraiya_event_wait_seconds_count": set(),
    "jiraiya_overhead_seconds_count": set(),
    "jiraiya_in_flight": set(),
    "jiraiya_waiting": set(),
    "jiraiya_commit_duration_seconds_count": set(),
    "jiraiya_transactions_total": {"result"},
    "jiraiya_rebalances_total": set(),
    "jiraiya_consumer_lag": {"topic", "partition"},
    "jiraiya_llm_requests_total": {"model", "outcome"},
    "jiraiya_llm_request_duration_seconds_count": {"model"},
    "jiraiya_llm_tokens_total": {"model", "kind"},
    "jiraiya_llm_cost_usd_total": {"model"},
    "jiraiya_circuit_breaker_state": {"name"},
    "jiraiya_store_lookups_total": {"result"},
    "jiraiya_dead_letters_total": {"code"},
    "jiraiya_build_info": {"version", "python"},
}
# Promised by docs/DELIVERY.md beyond it.
OF_OURS = {"jiraiya_requests_cut_by_crash_total": set[str]()}
RECORD = Record("story.requested", 2, 7, timestamp_ms=1_000_000, key=b"u", value=b"{}")


class StillClock:
    """A clock that stands at 1,004 seconds."""

    def now(self) -> float:
        """Return the same second always."""
        return 1_004.0


@pytest.fixture
def metrics() -> Metrics:
    """Metrics on a registry of their own."""
    return Metrics(new_registry(), version="1.2.3")


@pytest.fixture
def engine(metrics: Metrics) -> EngineMetrics:
    """The engine's observer; labels are endings themselves here."""
    return EngineMetrics(
        metrics, StillClock(), lambda label: label if isinstance(label, Ending) else None
    )


def _value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_every_metric_of_the_contract_is_there_with_its_labels(
    metrics: Metrics, engine: EngineMetrics
) -> None:
    """What dashboards are built on has exactly the names and labels that were promised."""
    ConsumerLag(lambda: {("story.requested", 2): 5}, metrics.registry)
    engine.consumed(RECORD)
    engine.committed([(RECORD, Ending("failed", "internal", 0.1, dead_lettered=True))], 0.03)
    calls = CallMetrics(metrics)
    calls.call_finished("m", "ok", 2.0, Usage(input_tokens=1), 10)
    calls.breaker_changed("m", State.CLOSED)
    calls.store_looked_up("miss")
    found = {
        sample.name: set(sample.labels)
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name.startswith("jiraiya_") and not sample.name.endswith(("_bucket", "_sum"))
    }
    assert found == CONTRACT | OF_OURS


def test_a_committed_request_is_counted_and_timed_from_its_timestamp(
    metrics: Metrics, engine: EngineMetrics
) -> None:
    """Duration is record timestamp to commit; a story has the code `none`."""
    engine.committed([(RECORD, Ending("generated", overhead_s=0.02)), (RECORD, None)], 0.03)
    engine.committed([(RECORD, Ending("failed", "internal"))], 0.01)
    assert _value(metrics, "jiraiya_events_completed_total", outcome="generated", code="none") == 1
    assert _value(metrics, "jiraiya_event_duration_seconds_sum") == 8.0
    assert _value(metrics, "jiraiya_event_duration_seconds_count") == 2
    assert _value(metrics, "jiraiya_overhead_seconds_count") == 1
    assert _value(metrics, "jiraiya_overhead_seconds_sum") == 0.02
    assert _value(metrics, "jiraiya_transactions_total", result="committed") == 2
    assert _value(metrics, "jiraiya_dead_letters_total", code="none") is None


@pytest.mark.parametrize(
    ("error", "result"),
    [
        (Fenced(), "fenced"),
        (OutputsRefused(frozenset({0}), "too large"), "refused"),
        (WriterFailed(), "failed"),
    ],
)
def test_transactions_that_fail_are_counted_by_reason(
    metrics: Metrics, engine: EngineMetrics, error: EngineError, result: str
) -> None:
    """Fencing, refusal and failure are told apart."""
    engine.transaction_failed(Partition("story.requested", 0), error)
    assert _value(metrics, "jiraiya_transactions_total", result=result) == 1


def test_waiting_and_rebalances_are_observed(metrics: Metrics, engine: EngineMetrics) -> None:
    """A clock that went back does not make a negative wait."""
    engine.started(object(), -0.5)
    engine.rebalanced()
    assert _value(metrics, "jiraiya_event_wait_seconds_sum") == 0
    assert _value(metrics, "jiraiya_rebalances_total") == 1


def test_tokens_and_dollars_of_a_call_are_added_up(metrics: Metrics) -> None:
    """Pico-dollars become dollars; an unknown price adds nothing."""
    calls = CallMetrics(metrics)
    usage = Usage(input_tokens=100, cached_input_tokens=40, output_tokens=50)
    calls.call_finished("m", "ok", 2.0, usage, 45_000_000)
    calls.call_finished("m", "provider_timeout", 60.0, None, None)
    assert _value(metrics, "jiraiya_llm_tokens_total", model="m", kind="cached_input") == 40
    assert _value(metrics, "jiraiya_llm_tokens_total", model="m", kind="reasoning") is None
    assert _value(metrics, "jiraiya_llm_cost_usd_total", model="m") == pytest.approx(0.000045)
    assert _value(metrics, "jiraiya_llm_requests_total", model="m", outcome="provider_timeout") == 1


def test_lag_is_that_of_the_partitions_assigned_at_the_scrape(metrics: Metrics) -> None:
    """A partition that went to another replica leaves no stale series behind."""
    lags = {("story.requested", 0): 3}
    ConsumerLag(lambda: lags, metrics.registry)
    assert b'jiraiya_consumer_lag{partition="0",topic="story.requested"} 3.0' in generate_latest(
        metrics.registry
    )
    lags.clear()
    assert b"jiraiya_consumer_lag{" not in generate_latest(metrics.registry)


def test_the_concurrency_limit_is_that_of_the_scrape(metrics: Metrics) -> None:
    """It changes with every answer, so nobody is told of each change."""
    limits: dict[str, int] = {}
    ConcurrencyLimit(lambda: limits, metrics.registry)
    limits["gpt-4o-mini"] = 36
    assert _value(metrics, "jiraiya_llm_concurrency_limit", model="gpt-4o-mini") == 36
