"""Reading topics as a consumer would: confluent-kafka, `read_committed`, from the beginning."""

import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self
from uuid import uuid4

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition

from tests.blackbox.messages import Seen, seen

_BATCH = 500

Enough = Callable[[list[Seen]], bool]


def read_all(
    bootstrap: str, topic: str, enough: Enough = lambda _: True, timeout_s: float = 30
) -> list[Seen]:
    """Return all of a topic, read to its ends once there was `enough` in it, or never was."""
    with TopicReader(bootstrap, [topic]) as reader:
        reader.until(enough, timeout_s)
    with TopicReader(bootstrap, [topic]) as reader:
        return reader.to_the_end(timeout_s)


class TopicReader:
    """Reads whole topics, without a group, so that it disturbs nobody."""

    def __init__(self, bootstrap: str, topics: Iterable[str]) -> None:
        self.records: list[Seen] = []
        self._ends: set[tuple[str, int]] = set()
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": f"examiner-{uuid4().hex}",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 50,
                "log_level": 0,
            }
        )
        metadata = self._consumer.list_topics(timeout=20).topics
        self._partitions = {(t, p) for t in topics for p in metadata[t].partitions}
        self._consumer.assign([TopicPartition(t, p, OFFSET_BEGINNING) for t, p in self._partitions])

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Close the consumer."""
        self._consumer.close()

    def until(self, enough: Enough, timeout_s: float) -> bool:
        """Read on until `enough` of all records read so far; tell whether it came to that."""
        deadline, late = time.monotonic() + timeout_s, False
        while not enough(self.records):
            if late:
                return False
            # Asked before the poll, so that one comes after any standstill of this process.
            late = time.monotonic() >= deadline
            self._poll()
        return True

    def to_the_end(self, timeout_s: float) -> list[Seen]:
        """Return everything up to the last stable offset of every partition."""
        self._ends.clear()
        if not self.until(lambda _: self._ends == self._partitions, timeout_s):
            msg = f"the topics' ends were not reached within {timeout_s:g} s"
            raise AssertionError(msg)
        return self.records

    def ends(self, topic: str) -> dict[int, int]:
        """Return the last stable offset of each partition, asked of the broker now."""
        ends = {}
        for name, partition in self._partitions:
            if name == topic:
                place = TopicPartition(name, partition)
                ends[partition] = self._consumer.get_watermark_offsets(place, timeout=20)[1]
        return ends

    def _poll(self) -> None:
        for message in self._consumer.consume(_BATCH, timeout=0.1):
            error = message.error()
            place = (message.topic() or "", message.partition() or 0)
            if error is None:
                self._ends.discard(place)
                self.records.append(seen(message))
            elif error.code() == KafkaError._PARTITION_EOF:
                self._ends.add(place)
