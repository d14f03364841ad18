"""Is the broker there? Asked every few seconds, so that health checks answer at once."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import IllegalStateError, KafkaError

from jiraiya_events.adapters.kafka.intake import KafkaIntake
from jiraiya_events.domain.looks import Look

log = structlog.get_logger(__name__)

EVERY_S = 3.0
ASK_S = 2 * EVERY_S

Examine = Callable[[AIOKafkaConsumer], Awaitable[None]]


class BrokerPulse:
    """Refreshes the consumer's metadata; remembers since when nobody has answered that.

    In every beat that finds the broker there, each of `looks` is given the consumer.
    """

    def __init__(self, intake: KafkaIntake, looks: Sequence[Examine] = ()) -> None:
        self._intake = intake
        self._looks = looks
        self._unanswered_since: float | None = None
        self.heard: Look | None = None
        self._task: asyncio.Task[None] | None = None

    def silent_s(self) -> float:
        """Return how long ago the first question was asked of those that were not answered.

        0 while there is none: between questions, however long the looks take.
        """
        if self._unanswered_since is None:
            return 0.0
        return asyncio.get_running_loop().time() - self._unanswered_since

    def start(self) -> None:
        """Ask from now on."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Ask no more."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            consumer = self._intake.consumer
            asked_at = asyncio.get_running_loop().time()
            if self._unanswered_since is None:
                self._unanswered_since = asked_at
            if consumer is not None and await self._answers(consumer):
                self._unanswered_since = None
                heard_at = asyncio.get_running_loop().time()
                self.heard = Look(heard_at, heard_at - asked_at)
                for look in self._looks:
                    await self._give(look, consumer)

    async def _answers(self, consumer: AIOKafkaConsumer) -> bool:
        try:
            async with asyncio.timeout(ASK_S):
                return bool(await consumer._client.force_metadata_update())  # noqa: SLF001 - one connection is enough
        except (KafkaError, TimeoutError, OSError):
            return False
        except Exception as error:  # what aiokafka asserts, say; the pulse must go on
            log.exception("asking whether the broker is there failed", error=repr(error))
            return False

    async def _give(self, look: Examine, consumer: AIOKafkaConsumer) -> None:
        """Let one look at the cluster; what it could not see now it will see later."""
        try:
            async with asyncio.timeout(ASK_S):
                await look(consumer)
        except (KafkaError, IllegalStateError, TimeoutError, OSError) as error:
            log.debug("a look at the cluster failed", error=repr(error))
        except Exception as error:  # the pulse must go on, whatever a look runs into
            log.exception("a look at the cluster failed", error=repr(error))
