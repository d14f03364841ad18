"""Partitions that are not read for a while, and lose nothing of what was fetched meanwhile.

A partition that aiokafka is told to pause loses what is left of its last fetch, up to 1 MiB, at the
next read of any other, and is fetched again when it is resumed. So it is not told: its reads leave
out what is held here. It fetches no more of a partition of which something is left, so what a held
one keeps in memory is one fetch.
"""

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition


class Holding:
    """To aiokafka's fetcher the partitions to read from: all but those that are held."""

    def __init__(self) -> None:
        self._held: set[TopicPartition] = set()

    def __contains__(self, where: TopicPartition) -> bool:
        """Tell whether to read from a partition."""
        return where not in self._held

    async def read(self, consumer: AIOKafkaConsumer) -> ConsumerRecord:
        """Return the next record of a partition that is not held; like `getone` otherwise.

        Raises `KafkaError`, and `ConsumerStoppedError` at the end.
        """
        consumer._coordinator.check_errors()  # noqa: SLF001 - nothing public takes partitions that change
        with consumer._subscription.fetch_context():  # noqa: SLF001 - as above
            return await consumer._fetcher.next_record(self)  # noqa: SLF001 - as above

    def hold(self, where: TopicPartition) -> None:
        """Read no more of a partition, not even what was fetched already."""
        self._held.add(where)

    def release(self, where: TopicPartition, consumer: AIOKafkaConsumer) -> None:
        """Read a partition again, first what was fetched before; a read under way looks anew."""
        self._held.discard(where)
        fetcher = consumer._fetcher  # noqa: SLF001 - as above
        for waiter in list(fetcher._fetch_waiters):  # noqa: SLF001 - as above
            fetcher._notify(waiter)  # noqa: SLF001 - as above
