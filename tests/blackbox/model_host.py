"""A model endpoint that knows its keys and its models, and can write slowly."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from aiohttp import web

from jiraiya_events.testing.completions import MODEL, chunks
from jiraiya_events.testing.faults import MARK, REFUSALS, Fault
from jiraiya_events.testing.faulty_calls import FaultyEndpoint
from tests.blackbox.endpoint import EndpointThread


class ModelHost(FaultyEndpoint):
    """A faulty endpoint of several models, whose answers name the one that was asked.

    Only calls with one of `keys` get in, and models that are `down` answer 503. `asked` counts
    calls by key and model, the refused ones too. With `pause_s` a streamed answer has such a pause
    after each of its events, and models that are `fading` hang up in its middle. Once a share of
    its events was written that is in `stops`, it waits until the test says `go_on`: a stop further
    on, or to its end.
    """

    def __init__(self, *keys: str) -> None:
        super().__init__()
        self.keys = frozenset(keys)
        self.down: frozenset[str] = frozenset()
        self.fading: frozenset[str] = frozenset()
        self.pause_s = 0.0
        self.stops: tuple[float, ...] = ()
        self._passed = 0
        self._moved = asyncio.Condition()
        self.asked: Counter[tuple[str, str]] = Counter()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one HTTP request."""
        if request.path != "/v1/chat/completions":
            return await super().handle(request)
        wanted = json.loads(await request.read())
        model = wanted["model"]
        key = request.headers.get("Authorization", "").removeprefix("Bearer ")
        self.asked[key, model] += 1
        if key not in self.keys:
            return _refusal(Fault.UNAUTHORIZED)
        if model in self.down:
            return _refusal(Fault.ERROR_503)
        if wanted.get("stream") and self.pause_s:
            return await self._write_slowly(request, wanted)
        answer = await super().handle(request)
        if isinstance(answer, web.Response) and isinstance(answer.body, bytes):
            answer.body = answer.body.replace(MODEL.encode(), model.encode())
        return answer

    async def _write_slowly(
        self, request: web.BaseRequest, wanted: dict[str, Any]
    ) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_type = "text/event-stream"
        await response.prepare(request)
        events = chunks(Fault.OK, 200, as_json="response_format" in wanted)
        fades = wanted["model"] in self.fading
        stops = [round(share * len(events)) for share in self.stops]
        for number, event in enumerate(events[: len(events) // 2] if fades else events):
            if number in stops:
                await self._stop(stops.index(number))
            await response.write(event.replace(MARK.encode(), b"you"))
            await asyncio.sleep(self.pause_s)
        if fades and request.transport is not None:
            request.transport.abort()
            return response
        await response.write_eof()
        return response

    async def go_on(self) -> None:
        """Let every answer pass one stop more."""
        async with self._moved:
            self._passed += 1
            self._moved.notify_all()

    async def _stop(self, number: int) -> None:
        async with self._moved:
            await self._moved.wait_for(lambda: self._passed > number)


class HostThread(EndpointThread):
    """Serves a `ModelHost`."""

    def __init__(self, *keys: str) -> None:
        self.host = ModelHost(*keys)
        super().__init__(partial(_serve, self.host))

    def go_on(self) -> None:
        """Let every answer pass one stop more."""
        self._run(self.host.go_on())


@asynccontextmanager
async def _serve(host: ModelHost) -> AsyncIterator[FaultyEndpoint]:
    server = web.Server(host.handle, handler_cancellation=True, access_log=None)
    runner = web.ServerRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host.base_url = "http://{}:{}/v1".format(*runner.addresses[0])
        yield host
    finally:
        await runner.cleanup()


def _refusal(fault: Fault) -> web.Response:
    refused = REFUSALS[fault]
    return web.Response(status=refused.status, body=refused.body, content_type=refused.content_type)
