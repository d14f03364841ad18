"""The marks, as far as they have been read; each look reads only what came since."""

from collections.abc import Iterable, Mapping
from contextlib import aclosing
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from jiraiya_events.adapters.kafka.dead_letters.scan import read_pages
from jiraiya_events.contract.marks import Mark, decode_mark, read_mark_key

REMOVED_AT_ONCE: Final = 500
"""Most marks of one partition that a takeover removes: a transaction stays small."""

OUTLIVED_S: Final = 86_400.0
"""How long a mark is kept at least, though its dead letter be gone: an operator who read the letter
and was stopped before taking its partition over again must still find it."""


class MarkReader:
    """Marks by (partition, offset) of the dead letter.

    `stable` sees committed records and takes the last stable offset for the end, `raw` takes the
    high watermark. Marks of dead letters below `oldest`, by partition, are not kept: retention
    has deleted what they speak of, so that this never holds more than the dead letters' topic. Some
    of them are remembered to be removed, or every command would read more than the one before.
    """

    def __init__(
        self,
        stable: AIOKafkaConsumer,
        raw: AIOKafkaConsumer,
        places: list[TopicPartition],
        oldest: Mapping[int, int],
    ) -> None:
        self._stable = stable
        self._raw = raw
        self._places = places
        self._oldest = oldest
        self._positions: dict[TopicPartition, int] = {}
        self._outlived: dict[int, dict[int, Mark]] = {}
        self.marks: dict[tuple[int, int], Mark] = {}

    async def look(self) -> None:
        """Read what is committed and can be read at once."""
        await self._read_to(await self._stable.end_offsets(self._places))

    async def catch_up(self) -> None:
        """Read everything that was written before this was called, waiting for open transactions.

        The last stable offset would not do: a transaction of another partition's operator, open
        in the same partition of marks, holds it back below marks that have committed.
        """
        await self._read_to(await self._raw.end_offsets(self._places))

    async def _read_to(self, ends: Mapping[TopicPartition, int]) -> None:
        if not self._positions:
            self._positions = dict(await self._stable.beginning_offsets(self._places))
        for place, end in sorted(ends.items()):
            start = self._positions[place]
            async with aclosing(read_pages(self._stable, place, start, end)) as pages:
                async for page in pages:
                    for record in page:
                        self._take(record.key, record.value)
            self._positions[place] = max(start, end)

    def _take(self, key: bytes | None, value: bytes | None) -> None:
        place = read_mark_key(key)
        if place is None:
            return
        partition, offset = place
        if offset < self._oldest.get(partition, 0):
            self._take_outlived(partition, offset, value)
        elif value is None:
            self.marks.pop(place, None)
        else:
            self.marks[place] = decode_mark(value)

    def _take_outlived(self, partition: int, offset: int, value: bytes | None) -> None:
        outlived = self._outlived.setdefault(partition, {})
        if value is None:
            outlived.pop(offset, None)
        elif len(outlived) < REMOVED_AT_ONCE:
            outlived[offset] = decode_mark(value)

    def outlived(self, partition: int, now: float) -> list[int]:
        """Return offsets of dead letters that retention deleted and whose marks are old enough."""
        marks = self._outlived.get(partition, {})
        return [offset for offset, mark in marks.items() if mark.at < now - OUTLIVED_S]

    def removed(self, partition: int, offsets: Iterable[int]) -> None:
        """Forget marks whose removal has committed."""
        for offset in offsets:
            self._outlived[partition].pop(offset, None)
