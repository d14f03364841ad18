"""The marks, as far as they have been read; each look reads only what came since."""

from collections.abc import Mapping
from contextlib import aclosing

from aiokafka import AIOKafkaConsumer, TopicPartition

from jiraiya_events.adapters.kafka.dead_letters.scan import read_pages
from jiraiya_events.contract.marks import Mark, decode_mark, read_mark_key


class MarkReader:
    """Marks by (partition, offset) of the dead letter.

    `stable` sees committed records and takes the last stable offset for the end, `raw` takes the
    high watermark. Marks of dead letters below `oldest`, by partition, are not kept: retention
    has deleted what they speak of, so that this never holds more than the dead letters' topic.
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
        if place is None or place[1] < self._oldest.get(place[0], 0):
            return
        if value is None:
            self.marks.pop(place, None)
        else:
            self.marks[place] = decode_mark(value)
