"""The faulty model endpoint on a thread of its own, for tests that are not asynchronous."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from types import TracebackType
from typing import Any, Self, TypeVar

from jiraiya_events.testing.faulty_calls import FaultyEndpoint
from jiraiya_events.testing.faulty_endpoint import serve_faulty

T = TypeVar("T")

_PATIENCE_S = 10.0


class EndpointThread:
    """Serves a `FaultyEndpoint`; every method may be called from the test's thread.

    `serve` puts another one of its kind on a port.
    """

    def __init__(
        self, serve: Callable[[], AbstractAsyncContextManager[FaultyEndpoint]] = serve_faulty
    ) -> None:
        self._serve = serve
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="endpoint")
        self._exit = AsyncExitStack()
        self._endpoint: FaultyEndpoint | None = None

    def __enter__(self) -> Self:
        """Start serving."""
        self._thread.start()
        self._endpoint = self._run(self._exit.enter_async_context(self._serve()))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Stop serving."""
        self._run(self._exit.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE_S)
        self._loop.close()

    @property
    def base_url(self) -> str:
        """Return the address, ending in `/v1`."""
        return self._served().base_url

    def configure(self, **changes: object) -> None:
        """Change the named fields of the fault plan."""
        self._call(lambda: self._served().configure(**changes))

    def stats(self) -> dict[str, Any]:
        """Return what was seen so far."""
        return self._call(self._served().stats.snapshot)

    def calls(self, marker: str) -> int:
        """Return how many calls carried this marker in their keywords."""
        count: int = self.stats()["calls_by_key"].get(marker, 0)
        return count

    def _served(self) -> FaultyEndpoint:
        if self._endpoint is None:
            msg = "the endpoint was not started"
            raise RuntimeError(msg)
        return self._endpoint

    def _call(self, work: Callable[[], T]) -> T:
        async def run() -> T:
            return work()

        return self._run(run())

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_PATIENCE_S)
