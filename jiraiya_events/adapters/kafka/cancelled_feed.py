"""Reading `story.cancelled` in every replica: all partitions, no group, a few minutes back.

A cancel concerns whichever replica has its request, so each reads them all. There is nothing to
commit: after a start, and after every failure, reading begins where the longest deadline ago
lies, and reading a cancel twice changes nothing. Requests never wait for this feed, but for a
moment at the start; while it cannot read, `trouble` says why.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError

from jiraiya_events.adapters.kafka.connection import KafkaConnection
from jiraiya_events.adapters.kafka.subscriber import to_record
from jiraiya_events.adapters.kafka.topic_states import TopicMissing, partitions_of
from jiraiya_events.domain.clock import Clock
from jiraiya_events.domain.errors import BrokerUnavailable
from jiraiya_events.engine.records import Record
from jiraiya_events.engine.turns import MEANT

log = structlog.get_logger(__name__)

CATCH_UP_S: Final = 5.0
"""How long a start waits for the cancels that are there already."""

LOOK_EVERY_S: Final = 5.0
"""How often it looks for new partitions."""

AGAIN_S: Final = (1.0, 15.0)
"""How long it waits after a failure: doubling, from the first to the second."""

ASK_TIMEOUT_S: Final = 10.0
POLL_MS: Final = 500
AT_ONCE: Final = 100
"""Records taken in before others get the event loop."""

Offsets = dict[TopicPartition, int]


class CancelledFeed:
    """Hands every record of `topic` of the last `back_s` seconds, and all to come, to `take`."""

    def __init__(
        self,
        connection: KafkaConnection,
        topic: str,
        take: Callable[[Record], None],
        clock: Clock,
        *,
        back_s: float,
    ) -> None:
        self.trouble: str | None = None
        """Why nothing can be read now, and what mends it; None while all is well."""
        self.absent = False
        """The trouble is that there is no such topic: it is optional."""
        self._connection = connection
        self._topic = topic
        self._take = take
        self._clock = clock
        self._back_s = back_s
        self._task: asyncio.Task[None] | None = None
        self._caught_up = asyncio.Event()

    async def start(self) -> None:
        """Begin to read; return when what is there has been read, or cannot be, or takes long."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="cancelled feed")
        with suppress(TimeoutError):
            async with asyncio.timeout(CATCH_UP_S):
                await self._caught_up.wait()

    async def stop(self) -> None:
        """Read no more; harmless when it was never started."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        """Read until stopped, whatever happens: a reader that died would look like an idle one."""
        first, longest = AGAIN_S
        wait = first
        while True:
            try:
                await self._read()
            except MEANT:
                raise
            except BaseException as error:  # noqa: BLE001 - see above
                wait = min(wait * 2, longest) if self.trouble is not None else first
                self._fail(error)
            await asyncio.sleep(wait)

    async def _read(self) -> None:
        async with self._consumer() as consumer:
            loop = asyncio.get_running_loop()
            ends: Offsets = {}
            look_at = loop.time()
            while True:
                if loop.time() >= look_at:
                    ends |= await self._follow_partitions(consumer)
                    look_at = loop.time() + LOOK_EVERY_S
                if not self._caught_up.is_set() and await _reached(consumer, ends):
                    self._caught_up.set()
                batches = await consumer.getmany(timeout_ms=POLL_MS, max_records=AT_ONCE)
                self._recover()
                for message in (m for messages in batches.values() for m in messages):
                    self._hand_over(to_record(message))
                await asyncio.sleep(0)

    def _hand_over(self, record: Record) -> None:
        """Let a bug of ours cost one cancel, not all that come after it."""
        try:
            self._take(record)
        except MEANT:
            raise
        except BaseException:
            log.exception(
                "our own code failed on a cancellation; it is skipped",
                topic=record.topic,
                partition=record.partition,
                offset=record.offset,
            )

    @asynccontextmanager
    async def _consumer(self) -> AsyncIterator[AIOKafkaConsumer]:
        consumer = AIOKafkaConsumer(
            **self._connection.client_options(),
            isolation_level="read_committed",
            enable_auto_commit=False,
            # Where retention has taken what we stood at, or the topic was made anew.
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=256 * 1024,
        )
        try:
            await consumer.start()
            yield consumer
        finally:
            await consumer.stop()

    async def _follow_partitions(self, consumer: AIOKafkaConsumer) -> Offsets:
        """Read from all partitions there are by now; return the ends of those that are new.

        Raises `BrokerUnavailable` when the topic is missing or hidden. A broker that is away does
        not matter once partitions are assigned: the consumer goes on by itself.
        """
        known = consumer.assignment()
        try:
            async with asyncio.timeout(ASK_TIMEOUT_S):
                numbers = await partitions_of(consumer._client, self._topic)  # noqa: SLF001 - one connection is enough
                partitions = {TopicPartition(self._topic, number) for number in numbers}
                new = partitions - known
                ends: Offsets = await consumer.end_offsets(new) if new else {}
                starts = {p: await consumer.position(p) for p in known & partitions}
                starts |= await self._starts(consumer, ends)
        except (KafkaError, TimeoutError, OSError):
            if known:
                return {}
            raise
        if partitions != known:
            consumer.assign(sorted(partitions))
            for partition, offset in starts.items():
                consumer.seek(partition, offset)
        return ends

    async def _starts(self, consumer: AIOKafkaConsumer, ends: Offsets) -> Offsets:
        """Return the first offset that is recent enough, else the end, which was asked before."""
        since_ms = max(0, round((self._clock.now() - self._back_s) * 1000))
        found = await consumer.offsets_for_times(dict.fromkeys(ends, since_ms)) if ends else {}
        return {p: end if found.get(p) is None else found[p].offset for p, end in ends.items()}

    def _fail(self, error: BaseException) -> None:
        trouble = _explain(error, self._topic)
        if trouble != self.trouble:
            log.warning("cancellations are not read; requests go on", reason=trouble)
        self.trouble = trouble
        self.absent = isinstance(error, TopicMissing)
        self._caught_up.set()

    def _recover(self) -> None:
        if self.trouble is not None:
            log.warning("cancellations are read again")
        self.trouble = None


async def _reached(consumer: AIOKafkaConsumer, ends: Offsets) -> bool:
    return all([await consumer.position(p) >= end for p, end in ends.items()])


def _explain(error: BaseException, topic: str) -> str:
    if isinstance(error, TopicAuthorizationFailedError):
        return f"we may not read the topic {topic}: grant Read on it to the service's user"
    if isinstance(error, BrokerUnavailable):
        return str(error)
    return f"reading the topic {topic} failed ({error!r}); it is tried again"
