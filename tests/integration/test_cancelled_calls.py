"""Ten thousand calls that are cancelled leak no task, no connection and no memory."""

import asyncio
import ctypes
import gc
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import psutil
import pytest

from jiraiya_events.adapters.llm.chat_model import ChatModel
from tests.integration.model_endpoint import ask, in_use, options

BATCH = 200
BATCHES = 55
WARM_UP = 5
HALFWAY = 30


@dataclass
class Silence:
    """An endpoint that hears every request and never says a word."""

    base_url: str = ""
    heard: int = 0
    open: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read until the client hangs up."""
        self.open += 1
        first = True
        while await reader.read(65_536):
            self.heard += first
            first = False
        writer.close()
        self.open -= 1


@asynccontextmanager
async def silence() -> AsyncIterator[Silence]:
    """Serve it on a free port."""
    endpoint = Silence()
    server = await asyncio.start_server(endpoint.serve, "127.0.0.1", 0, backlog=2 * BATCH)
    async with server:
        endpoint.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        yield endpoint


async def cancel_a_batch(chat: ChatModel, endpoint: Silence) -> None:
    """Make calls, every other one streamed; cancel them once the endpoint has heard them all."""
    heard = endpoint.heard
    calls = [
        asyncio.create_task(ask(chat, 60.0, on_text=print if number % 2 else None))
        for number in range(BATCH)
    ]
    async with asyncio.timeout(60):
        while endpoint.heard < heard + BATCH:  # noqa: ASYNC110 - what a socket hears is no event
            await asyncio.sleep(0.005)
        for call in calls:
            call.cancel()
        ended = await asyncio.gather(*calls, return_exceptions=True)
        assert {type(end) for end in ended} == {asyncio.CancelledError}
        assert in_use(chat) == 0
        while endpoint.open:  # noqa: ASYNC110 - likewise
            await asyncio.sleep(0.005)


def counted() -> tuple[int, int]:
    """Return how many objects there are, and how many bytes of memory are in use."""
    gc.collect()
    _give_back()
    return len(gc.get_objects()), psutil.Process().memory_info().rss


def _give_back() -> None:
    """Have the allocator return what it keeps for later, where it can be told to."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


@pytest.mark.timeout(180)
async def test_ten_thousand_cancelled_calls_leave_nothing_behind() -> None:
    """Whole and streamed ones; what the first thousand has warmed up may stay.

    A leak adds as much in each half. An arena that the tests before have left in pieces may be
    taken into use once.
    """
    async with silence() as endpoint:
        chat = ChatModel(options(endpoint.base_url))
        before, files = asyncio.all_tasks(), 0
        counts = []
        for number in range(BATCHES):
            if number in {WARM_UP, HALFWAY}:
                counts.append(counted())
                files = files or psutil.Process().num_fds()
            await cancel_a_batch(chat, endpoint)
        counts.append(counted())
        assert asyncio.all_tasks() == before
        assert psutil.Process().num_fds() <= files
        await chat.aclose()
    calls = BATCH * (HALFWAY - WARM_UP)
    (_, size), (objects, halfway), (more_objects, end) = counts
    assert more_objects - objects < calls / 10
    assert min(halfway - size, end - halfway) < calls * 256
