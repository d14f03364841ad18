"""The stand-in endpoint: `POST /v1/chat/completions` and `GET /v1/models` over aiohttp."""

import asyncio
import json
import random
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from aiohttp import web

from jiraiya_events.adapters.standin.chat import DEFAULT_MODEL, Answer, ChatError, answer

LATENCY_S: Final = 1.0
# An answer takes between half and one and a half times the latency, always the same for a wish.
JITTER: Final = 0.5
LARGEST_BODY: Final = 1024 * 1024

_latency_s: Final = web.AppKey("latency_s", float)


def standin_app(*, latency_s: float = LATENCY_S) -> web.Application:
    """Return the endpoint as an aiohttp application; `latency_s` is a mean, in seconds."""
    app = web.Application(client_max_size=LARGEST_BODY)
    app[_latency_s] = latency_s
    app.on_response_prepare.append(_name_response)
    app.router.add_post("/v1/chat/completions", _complete)
    app.router.add_get("/v1/models", _models)
    return app


@asynccontextmanager
async def serve_standin(
    host: str = "127.0.0.1", port: int = 0, *, latency_s: float = LATENCY_S
) -> AsyncIterator[str]:
    """Serve the endpoint in this event loop; yield its base URL, such as `http://…:8081/v1`.

    Port 0 takes a free one. Raises OSError when the port is taken.
    """
    # Whoever hangs up stops the writing of a story nobody reads.
    runner = web.AppRunner(
        standin_app(latency_s=latency_s),
        access_log=None,
        handler_cancellation=True,
        shutdown_timeout=0.5,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield f"http://{_authority(runner.addresses[0])}/v1"
    finally:
        await runner.cleanup()


def _authority(address: tuple[Any, ...]) -> str:
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def _complete(request: web.Request) -> web.StreamResponse:
    try:
        body = await request.json()
        told = answer(body)
    except ChatError as error:
        return web.json_response(error.body(), status=400)
    except (ValueError, RecursionError):
        unreadable = ChatError("We could not parse the JSON body of your request.")
        return web.json_response(unreadable.body(), status=400)
    delay_s = _delay(told, request.app[_latency_s])
    if body.get("stream") is True:
        return await _stream(request, told, body, delay_s)
    await asyncio.sleep(delay_s)
    return web.json_response(told.whole(int(time.time())))


async def _stream(
    request: web.Request, told: Answer, body: dict[str, Any], delay_s: float
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"content-type": "text/event-stream; charset=utf-8"})
    await response.prepare(request)
    options = body.get("stream_options")
    usage = isinstance(options, dict) and options.get("include_usage") is True
    chunks = list(told.chunks(int(time.time()), usage=usage))
    for chunk in chunks:
        await asyncio.sleep(delay_s / len(chunks))
        await response.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
    await response.write(b"data: [DONE]\n\n")
    await response.write_eof()
    return response


def _delay(told: Answer, latency_s: float) -> float:
    jitter = random.Random(told.seed).uniform(-JITTER, JITTER)  # noqa: S311 - no secret
    return latency_s * (1 + jitter)


async def _models(_request: web.Request) -> web.Response:
    model = {"id": DEFAULT_MODEL, "object": "model", "created": 0, "owned_by": "jiraiya"}
    return web.json_response({"object": "list", "data": [model]})


async def _name_response(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers["x-request-id"] = f"req_{uuid.uuid4().hex}"
    response.headers["Server"] = DEFAULT_MODEL
