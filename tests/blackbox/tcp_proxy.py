"""A network that can be slow, silent or cut: a TCP proxy on the loopback interface.

It runs on an event loop in a thread of its own. `latency_s` delays every chunk, each direction
in order; `silent` keeps connections open and passes nothing on, as a lost route does; `cut`
resets what is connected, as a restarted firewall does. Clients may connect at any time, also
while it is silent.
"""

import asyncio
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")

HOST = "127.0.0.1"
CHUNK = 64 * 1024
_PATIENCE_S = 10.0


class TcpProxy:
    """Listens on `port` and passes on to `target`; leaving it ends every connection."""

    def __init__(self, port: int, target: int) -> None:
        self.port = port
        self.latency_s = 0.0
        self.bytes_down = 0
        """Bytes passed on from the target to its clients."""
        self.target = target
        """Where new connections lead; those there are stay where they are."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tcp-proxy")
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._open: set[asyncio.StreamWriter] = set()
        self._passing: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    def __enter__(self) -> Self:
        """Start to listen."""
        self._thread.start()
        self._do(self._listen())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Close everything."""
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE_S)
        self._loop.close()

    def silence(self) -> None:
        """Pass nothing on; nobody is told."""
        self._loop.call_soon_threadsafe(self._flowing.clear)

    def speak(self) -> None:
        """Pass on again, what was held back first."""
        self._loop.call_soon_threadsafe(self._flowing.set)

    def cut(self) -> None:
        """Reset every connection there is; new ones are welcome."""
        self._do(self._reset())

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_PATIENCE_S)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._connected, HOST, self.port)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection(HOST, self.target)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, back}
        for source, sink, down in ((reader, back, False), (there, writer, True)):
            task = self._loop.create_task(self._pass_on(source, sink, down=down))
            self._passing.add(task)
            task.add_done_callback(self._passing.discard)

    async def _pass_on(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, down: bool
    ) -> None:
        """Copy until one side ends, then end the other."""
        try:
            while chunk := await source.read(CHUNK):
                if self.latency_s:
                    await asyncio.sleep(self.latency_s)
                await self._flowing.wait()
                self.bytes_down += len(chunk) if down else 0
                sink.write(chunk)
                await sink.drain()
        except OSError:
            pass
        finally:
            sink.transport.abort()
            self._open.discard(sink)

    async def _reset(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in list(self._passing):
            task.cancel()
        await self._reset()
        if self._passing:
            await asyncio.wait(self._passing)
