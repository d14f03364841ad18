"""`jiraiya_llm_concurrency_limit`: read at scrape time, since it changes with every answer."""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

LimitSource = Callable[[], Mapping[str, int]]


class ConcurrencyLimit(Collector):
    """How many calls of each model may be under way now, as its endpoint has taught."""

    def __init__(self, source: LimitSource, registry: CollectorRegistry) -> None:
        self._source = source
        registry.register(self)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield one gauge for each model asked so far."""
        family = self._empty()
        for model, limit in self._source().items():
            family.add_metric([model], limit)
        yield family

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Yield the name alone: registering must not ask a source that is not ready."""
        yield self._empty()

    def _empty(self) -> GaugeMetricFamily:
        return GaugeMetricFamily(
            "jiraiya_llm_concurrency_limit",
            "Calls of a model that may be under way; adapts to what the endpoint takes.",
            labels=["model"],
        )
