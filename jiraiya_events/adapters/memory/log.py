"""A partitioned log with transactions, fencing and group offsets, in plain memory.

It knows just enough of Kafka's rules to be mistaken for it by the engine: a new epoch aborts
the old one's transaction, a fenced epoch can do nothing, a transaction's outputs and offsets
appear together or not at all, and control markers use up offsets.
"""

from dataclasses import dataclass, field
from zlib import crc32

from jiraiya_events.engine.errors import Fenced, OutputsRefused
from jiraiya_events.engine.records import Committed, Headers, Output, Partition, Record


@dataclass(slots=True)
class MemoryLog:
    """Topics, committed progress and writer epochs; single-threaded."""

    partitions: int = 4
    max_output_bytes: int = 1_048_576
    records: dict[Partition, list[Record]] = field(default_factory=dict)
    committed: dict[Partition, Committed] = field(default_factory=dict)
    epochs: dict[Partition, int] = field(default_factory=dict)
    ends: dict[Partition, int] = field(default_factory=dict)

    def append(
        self,
        partition: Partition,
        key: bytes | None,
        value: bytes | None,
        headers: Headers = (),
        *,
        timestamp_ms: int = 0,
        gap: int = 0,
    ) -> Record:
        """Append a record, `gap` control markers before it; return it."""
        offset = self.ends.get(partition, 0) + gap
        record = Record(*partition, offset, timestamp_ms, key, value, headers)
        self.records.setdefault(partition, []).append(record)
        self.ends[partition] = offset + 1
        return record

    def read(self, partition: Partition, offset: int) -> Record | None:
        """Return the first record at or after `offset`."""
        for record in self.records.get(partition, []):
            if record.offset >= offset:
                return record
        return None

    def truncate(self, partition: Partition, first: int) -> None:
        """Lose the records before `first`, as retention does."""
        kept = [r for r in self.records.get(partition, []) if r.offset >= first]
        self.records[partition] = kept

    def beginning(self, partition: Partition) -> int:
        """Return the first offset that is still there, else the end."""
        records = self.records.get(partition)
        return records[0].offset if records else self.ends.get(partition, 0)

    def new_epoch(self, partition: Partition) -> int:
        """Fence every older writer of this input partition."""
        self.epochs[partition] = self.epochs.get(partition, 0) + 1
        return self.epochs[partition]

    def commit(
        self, partition: Partition, epoch: int, outputs: list[Output], committed: Committed
    ) -> None:
        """Publish and store progress at once. Raises `Fenced`, `OutputsRefused`."""
        if epoch != self.epochs.get(partition):
            msg = f"epoch {epoch} of {partition} is over"
            raise Fenced(msg)
        large = {i for i, o in enumerate(outputs) if len(o.value or b"") > self.max_output_bytes}
        if large:
            raise OutputsRefused(frozenset(large), "too large for the log")
        for output in outputs:
            target = Partition(output.topic, crc32(output.key or b"") % self.partitions)
            self.append(target, output.key, output.value, output.headers)
        self.committed[partition] = committed
