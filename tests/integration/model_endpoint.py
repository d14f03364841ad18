"""A scripted model endpoint on the loopback interface, and calls of our model to it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from jiraiya_events.adapters.llm.chat_model import ChatModel
from jiraiya_events.adapters.llm.options import LlmOptions
from jiraiya_events.domain.request import StoryRequested
from jiraiya_events.generation.faults import CallFault, Fault
from jiraiya_events.generation.paid import ModelAnswer
from jiraiya_events.generation.prompt import Prompt
from jiraiya_events.generation.prompt_book import PromptBook

KEY = "sk-made-up-0123456789"
PROMPT: Prompt = PromptBook().render(StoryRequested(user_id="u", keywords=["a fox"]))

Reply = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Endpoint:
    """Answers chat completions by script; the last reply repeats."""

    replies: list[Reply] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    base_url: str = ""
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Play the next reply."""
        self.bodies.append(await request.json())
        self.keys.append(request.headers["Authorization"].removeprefix("Bearer "))
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        try:
            return await reply(request)
        except asyncio.CancelledError:
            self.hung_up.set()
            raise

    async def models(self, request: web.Request) -> web.StreamResponse:
        """List the one model there is."""
        if request.headers["Authorization"] != f"Bearer {KEY}":
            return web.json_response({"error": {"message": "no"}}, status=401)
        return web.json_response({"object": "list", "data": [{"id": "some", "object": "model"}]})


@asynccontextmanager
async def scripted() -> AsyncIterator[Endpoint]:
    """Serve a script on a free port."""
    script = Endpoint()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", script.handle)
    app.router.add_get("/v1/models", script.models)
    runner = web.AppRunner(app, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    script.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield script
    finally:
        await runner.cleanup()


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    """Serve one."""
    async with scripted() as script:
        yield script


@pytest.fixture
async def chat(endpoint: Endpoint) -> AsyncIterator[ChatModel]:
    """Return a chat model that has made its first call: later ones are sent another way."""
    model = ChatModel(options(endpoint.base_url))
    endpoint.replies = [completion()]
    await ask(model)
    endpoint.bodies.clear()
    endpoint.keys.clear()
    yield model
    await model.aclose()


def options(base_url: str, key: str = KEY, model: str = "some") -> LlmOptions:
    """Return options that reach it."""
    return LlmOptions(api_key=SecretStr(key), model=model, base_url=base_url)


def completion(
    content: str | None = "text",
    finish_reason: str | None = "stop",
    **message: Any,
) -> Reply:
    """Return a reply with an answer."""

    async def reply(_: web.Request) -> web.Response:
        body = {
            "id": "c-1",
            "object": "chat.completion",
            "created": 1,
            "model": "some-2026",
            "choices": [
                {
                    "index": 0,
                    "finish_reason": finish_reason,
                    "message": {"role": "assistant", "content": content, **message},
                }
            ],
            "usage": {
                "prompt_tokens": 11,
                "completion_tokens": 7,
                "total_tokens": 18,
                "prompt_tokens_details": {"cached_tokens": 5},
                "completion_tokens_details": {"reasoning_tokens": 3},
            },
        }
        return web.json_response(body, headers={"x-request-id": "r-1", "server": "s"})

    return reply


def error(status: int, code: str | None = None, **headers: str) -> Reply:
    """Return a reply with an error in the form OpenAI uses."""

    async def reply(_: web.Request) -> web.Response:
        body = {"error": {"message": f"wrong: {KEY}", "type": "t", "code": code, "param": None}}
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.json_response(body, status=status, headers=sent)

    return reply


def ok_but(text: str, content_type: str) -> Reply:
    """Return a reply with status 200 and something else in it."""

    async def reply(_: web.Request) -> web.Response:
        return web.Response(text=text, content_type=content_type)

    return reply


async def drop(request: web.Request) -> web.StreamResponse:
    """Close the connection without a word."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def cut_short(request: web.Request) -> web.StreamResponse:
    """Close the connection within the body."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.content_length = 1000
    await response.prepare(request)
    await response.write(b'{"choices": [')
    assert request.transport is not None
    request.transport.close()
    return response


async def hang(_: web.Request) -> web.StreamResponse:
    """Say nothing for ever."""
    await asyncio.Event().wait()
    return web.Response()


async def ask(chat: ChatModel, timeout_s: float = 60.0, **wishes: Any) -> ModelAnswer:
    """Make one call; with `on_text` it is streamed."""
    arguments = {"model": "some", "max_output_tokens": None, **wishes}
    return await chat.complete(PROMPT, timeout_s=timeout_s, **arguments)


async def fault_of(chat: ChatModel, timeout_s: float = 60.0, **wishes: Any) -> Fault:
    """Make one call that must fail; no key may show in its fault, no connection stay in use."""
    with pytest.raises(CallFault) as caught:
        await ask(chat, timeout_s, **wishes)
    assert KEY not in repr(caught.value) + str(caught.value.fault)
    assert in_use(chat) == 0
    return caught.value.fault


def in_use(chat: ChatModel) -> int:
    """Return how many connections are taken out of the pool."""
    session = chat._http._transport.client  # type: ignore[attr-defined]
    return len(session.connector._acquired)
