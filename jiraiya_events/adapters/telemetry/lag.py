"""`jiraiya_consumer_lag`: read at scrape time, so that lost partitions leave the page at once."""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

LagSource = Callable[[], Mapping[tuple[str, int], int]]


class ConsumerLag(Collector):
    """Records between the committed offset and the end, of the partitions assigned now."""

    def __init__(self, source: LagSource, registry: CollectorRegistry) -> None:
        self._source = source
        registry.register(self)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield one gauge for each assigned partition."""
        family = self._empty()
        for (topic, partition), lag in self._source().items():
            family.add_metric([topic, str(partition)], lag)
        yield family

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Yield the name alone: registering must not ask a source that is not ready."""
        yield self._empty()

    def _empty(self) -> GaugeMetricFamily:
        return GaugeMetricFamily(
            "jiraiya_consumer_lag",
            "Records between the committed offset and the end of the partition.",
            labels=["topic", "partition"],
        )
