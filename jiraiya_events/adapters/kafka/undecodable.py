"""Header names that are not UTF-8: read, kept byte for byte, and written again.

Kafka's brokers and most of its clients take any bytes for a header's name; aiokafka decodes it
strictly, fails, fetches the same batch again and fails again: one such record would stop its
partition for ever. So a fetched batch that cannot be read is read once more, from the next expected
offset on, by aiokafka's slower parser in Python, with names decoded as `os.fsdecode` does: a byte
that is no text becomes a lone surrogate and comes back as that byte.

The names `MemoryRecords` and `PartitionRecords` are replaced in `aiokafka.consumer.fetcher`, for
every consumer of the process, since dead letters carry such names too. aiokafka is pinned to its
minor version, and `tests/contracts/test_header_names.py` fails when this seam moves.
"""

from collections import deque
from collections.abc import Iterator
from struct import unpack_from
from typing import Any, SupportsIndex

from aiokafka import ConsumerRecord
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import (
    DefaultRecordBatch,
    _DefaultRecordBatchBuilderPy,
    _DefaultRecordBatchPy,
)
from aiokafka.record.memory_records import MemoryRecords

from jiraiya_events.engine.records import Headers

BATCH_BYTES = 64 * 1024
"""A batch takes no more records beyond this; its first may be larger."""

_LOG_OVERHEAD = 12
"""Bytes of a batch's base offset and length, which the length does not count."""


def read_any_header_name() -> None:
    """Let every consumer of this process read such records; may be called again."""
    fetcher.MemoryRecords = _KeptRecords
    fetcher.PartitionRecords = _ReadableRecords


class _KeptRecords(MemoryRecords):  # type: ignore[misc]  # aiokafka is untyped
    """aiokafka's fetched batches, with their bytes still at hand."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.data = data


class _ReadableRecords(fetcher.PartitionRecords):  # type: ignore[misc]  # aiokafka is untyped
    """aiokafka's iterator over what one fetch brought, going on where it would give up.

    A batch that is damaged is one in both readings.
    """

    def _unpack_records(self) -> Iterator[ConsumerRecord]:
        try:
            yield from super()._unpack_records()
        except (UnicodeDecodeError, CorruptRecordException):  # the latter from aiokafka in Python
            kept: _KeptRecords = self._records
            self._records: Any = _TolerantRecords(kept.data, self.next_fetch_offset)
            yield from super()._unpack_records()


class _TolerantRecords:
    """The batches of a fetch from the one that holds `offset` on."""

    def __init__(self, data: bytes, offset: int) -> None:
        batches = (_TolerantBatch(piece) for piece in _slices(data))
        self._batches = deque(batch for batch in batches if batch.next_offset > offset)

    def has_next(self) -> bool:
        return bool(self._batches)

    def next_batch(self) -> "_TolerantBatch":
        return self._batches.popleft()


class _TolerantBatch(_DefaultRecordBatchPy):  # type: ignore[misc]  # aiokafka is untyped
    """One batch whose header names may be any bytes."""

    def __iter__(self) -> "_TolerantBatch":
        super().__iter__()  # decompresses
        self._buffer: bytearray = _Lenient(self._buffer)
        return self


class _Lenient(bytearray):
    """Bytes that can always be decoded."""

    def __getitem__(self, index: SupportsIndex | slice) -> Any:  # noqa: ANN401 - int or bytes
        found = super().__getitem__(index)
        return found if isinstance(found, int) else _Lenient(found)

    def decode(self, encoding: str = "utf-8", errors: str = "") -> str:  # noqa: ARG002 - str's own signature
        return super().decode(encoding, "surrogateescape")


def _slices(data: bytes) -> Iterator[memoryview]:
    """Cut a fetch into its batches; the last may be incomplete and is left out."""
    start = 0
    while start + _LOG_OVERHEAD <= len(data):
        (length,) = unpack_from(">i", data, start + 8)
        end = start + _LOG_OVERHEAD + length
        if end > len(data):
            return
        yield memoryview(data)[start:end]
        start = end


class AnyNameBatch(BatchBuilder):  # type: ignore[misc]  # aiokafka is untyped
    """A producer's batch whose header names may hold escaped bytes; written in Python, slowly."""

    def __init__(self, *, transactional: bool, codec: int = DefaultRecordBatch.CODEC_NONE) -> None:
        super().__init__(BATCH_BYTES, codec, is_transactional=transactional)
        self._builder = _DefaultRecordBatchBuilderPy(
            magic=2,
            compression_type=codec,
            is_transactional=transactional,
            producer_id=-1,
            producer_epoch=-1,
            base_sequence=0,
            batch_size=BATCH_BYTES,
        )

    def append(
        self,
        *,
        timestamp: int | None,
        key: bytes | None,
        value: bytes | None,
        headers: Headers = (),
    ) -> object:
        """Add a record; `timestamp` is in milliseconds, None for now."""
        names = [(_Escaped(name), content) for name, content in headers]
        return super().append(timestamp=timestamp, key=key, value=value, headers=names)

    def _set_producer_state(self, producer_id: int, producer_epoch: int, sequence: int) -> None:
        """Skip the inherited check that the builder is the one in C."""
        self._builder.set_producer_state(producer_id, producer_epoch, sequence)


class _Escaped(str):
    """A header's name as aiokafka's writer asks for it, with the bytes it was read with."""

    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "") -> bytes:  # noqa: ARG002 - str's own signature
        return super().encode(encoding, "surrogateescape")
