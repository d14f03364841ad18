"""Does the result store work? Asked every few seconds: readiness must not wait for requests."""

import asyncio
from contextlib import suppress
from typing import Final

import structlog

from jiraiya_events.bootstrap.observers import CallEvents
from jiraiya_events.domain.errors import StoreUnavailable
from jiraiya_events.domain.looks import Look
from jiraiya_events.generation.backlog import Backlog
from jiraiya_events.generation.result_store import ResultStore

log = structlog.get_logger(__name__)

EVERY_S: Final = 5.0


class StoreWatch:
    """Pings from `start` to `stop`, one ping at a time, and tells how each ended.

    Also while requests tell the same: one small write in that time costs less than to find out.
    A ping that works is when the backlog is sent.
    """

    def __init__(self, store: ResultStore, calls: CallEvents, backlog: Backlog) -> None:
        self._store = store
        self._calls = calls
        self._backlog = backlog
        self.heard: Look | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Ask now and from now on."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Ask no more, and send what is left; to be awaited before the store is closed."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self._backlog.catch_up()

    async def _run(self) -> None:
        while True:
            await self._ask()
            await asyncio.sleep(EVERY_S)

    async def _ask(self) -> None:
        loop = asyncio.get_running_loop()
        asked_at = loop.time()
        try:
            await self._store.ping()
        except StoreUnavailable as error:
            self._calls.store_failed("ping", str(error))
        except Exception as error:  # the watch must go on, whatever a store runs into
            log.exception("asking whether the store works failed", error=repr(error))
        else:
            self.heard = Look(loop.time(), loop.time() - asked_at)
            self._calls.store_pinged()
            await self._backlog.catch_up()
