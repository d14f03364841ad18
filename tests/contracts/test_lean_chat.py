"""The lean chat model against the stock one: same request, same answer, same errors."""

import json
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from aiohttp import web
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from jiraiya_events.adapters.llm.lean_chat import LeanChatOpenAI

STORY = {"title": "T", "content": "Once upon a time."}
MESSAGES = [SystemMessage("rules"), HumanMessage("wish")]
EARLIER = pytest.mark.parametrize("earlier", [False, True], ids=["first", "later"])
EXTRA = {"response_format": {"type": "json_object"}}


def completion(message: dict[str, Any], **rest: Any) -> dict[str, Any]:
    """Return a chat completion as OpenAI sends it."""
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", **message}}
    usage = {
        "prompt_tokens": 30,
        "completion_tokens": 12,
        "total_tokens": 42,
        "prompt_tokens_details": {"cached_tokens": 8},
        "completion_tokens_details": {"reasoning_tokens": 3},
    }
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m-1-2026",
        "choices": [choice],
        "usage": usage,
        **rest,
    }


class Endpoint:
    """Answers every call alike and keeps what was sent."""

    def __init__(self) -> None:
        self.status = 200
        self.text = ""
        self.type = "application/json"
        self.seen: list[tuple[dict[str, str], Any]] = []
        self.base_url = ""

    async def handle(self, request: web.Request) -> web.Response:
        """Answer."""
        self.seen.append((dict(request.headers), await request.json()))
        headers = {"x-request-id": "req-1"}
        return web.Response(
            status=self.status, text=self.text, content_type=self.type, headers=headers
        )


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    """Serve on a free port."""
    script = Endpoint()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", script.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    script.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    yield script
    await runner.cleanup()


async def ask(kind: type[ChatOpenAI], endpoint: Endpoint, *, earlier: bool = False) -> AIMessage:
    """Make one call as the adapter makes it; `earlier` ones change how the lean one is sent."""
    http = openai.DefaultAioHttpClient()
    chat = kind(
        api_key=SecretStr("sk-made-up"),
        base_url=endpoint.base_url,
        model="m-1",
        max_retries=0,
        include_response_headers=True,
        use_responses_api=False,
        http_async_client=http,
    )
    try:
        if earlier:
            status, text, kind_ = endpoint.status, endpoint.text, endpoint.type
            endpoint.status, endpoint.type = 200, "application/json"
            endpoint.text = json.dumps(completion({"content": "earlier"}))
            await chat.ainvoke("an earlier wish", model="m-3")
            endpoint.status, endpoint.text, endpoint.type = status, text, kind_
            endpoint.seen.clear()
        message = await chat.ainvoke(
            MESSAGES,
            model="m-2",
            max_tokens=99,
            extra_body=EXTRA,
            timeout=openai.Timeout(60.0, connect=30.0),
        )
    finally:
        await http.aclose()
    assert isinstance(message, AIMessage)
    return message


def shown(message: AIMessage) -> dict[str, Any]:
    """Return what our adapter reads of a message."""
    about = message.response_metadata
    return {
        "text": message.text,
        "refusal": message.additional_kwargs.get("refusal"),
        "finish_reason": about.get("finish_reason"),
        "model": about.get("model_name"),
        "request_id": about["headers"].get("x-request-id"),
        "usage": message.usage_metadata,
    }


@pytest.mark.parametrize(
    "message",
    [
        {"content": json.dumps(STORY)},
        {"content": "plain\n\ntext"},
        {"content": None, "refusal": "I cannot."},
        {"content": ""},
    ],
    ids=["json", "text", "refusal", "empty"],
)
@EARLIER
async def test_an_answer_is_read_like_the_stock_class_reads_it(
    endpoint: Endpoint, message: dict[str, Any], *, earlier: bool
) -> None:
    endpoint.text = json.dumps(completion(message))
    stock = await ask(ChatOpenAI, endpoint)
    lean = await ask(LeanChatOpenAI, endpoint, earlier=earlier)
    assert shown(lean) == shown(stock)


@EARLIER
async def test_the_request_is_the_stock_class_s_to_the_letter(
    endpoint: Endpoint, *, earlier: bool
) -> None:
    """Body, path and every header; only the client's note of a time-out may differ."""
    endpoint.text = json.dumps(completion({"content": "x"}))
    await ask(ChatOpenAI, endpoint)
    (stock_headers, stock_body) = endpoint.seen.pop()
    await ask(LeanChatOpenAI, endpoint, earlier=earlier)
    ((lean_headers, lean_body),) = endpoint.seen
    assert lean_body == stock_body
    for own in ("Content-Length", "x-stainless-read-timeout", "x-stainless-raw-response"):
        stock_headers.pop(own, None)
        lean_headers.pop(own, None)
    assert lean_headers == stock_headers


async def streamed(kind: type[ChatOpenAI], endpoint: Endpoint) -> list[dict[str, Any]]:
    """Return what our adapter reads of each chunk of a stream."""
    http = openai.DefaultAioHttpClient()
    chat = kind(
        api_key=SecretStr("sk-made-up"),
        base_url=endpoint.base_url,
        model="m-1",
        max_retries=0,
        include_response_headers=True,
        stream_usage=True,
        use_responses_api=False,
        http_async_client=http,
    )
    try:
        chunks = [chunk async for chunk in chat.astream(MESSAGES, extra_body=EXTRA)]
    finally:
        await http.aclose()
    for chunk in chunks:
        chunk.response_metadata.get("headers", {}).pop("date", None)
    return [
        {"text": one.text, "about": one.response_metadata, "usage": one.usage_metadata}
        for one in chunks
    ]


def as_events(*chunks: dict[str, Any]) -> str:
    """Return them as OpenAI streams them."""
    texts = [json.dumps({"id": "c", "model": "m-1-2026", "created": 1, **one}) for one in chunks]
    return "".join(f"data: {text}\n\n" for text in [*texts, "[DONE]"])


async def test_a_stream_is_read_like_the_stock_class_reads_it(endpoint: Endpoint) -> None:
    """Texts, the end, the model, headers and tokens; the requests are the same to the letter."""
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}, {"content": "Once"}, {}]
    ends = (None, None, "stop")
    choices = [
        {"index": 0, "delta": delta, "finish_reason": end}
        for delta, end in zip(deltas, ends, strict=True)
    ]
    usage = {"choices": [], "usage": completion({})["usage"]}
    endpoint.type = "text/event-stream"
    endpoint.text = as_events(*({"choices": [one], "usage": None} for one in choices), usage)
    stock, lean = await streamed(ChatOpenAI, endpoint), await streamed(LeanChatOpenAI, endpoint)
    assert lean == stock
    assert "".join(one["text"] for one in lean) == "Once"
    (stock_headers, stock_body), (lean_headers, lean_body) = endpoint.seen
    assert (lean_headers, lean_body) == (stock_headers, stock_body)


@EARLIER
@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 409, 422, 429, 500, 503])
async def test_an_error_status_raises_what_the_stock_class_raises(
    endpoint: Endpoint, status: int, *, earlier: bool
) -> None:
    endpoint.status = status
    endpoint.text = json.dumps({"error": {"message": "no", "code": "some_code", "type": "t"}})
    caught = []
    for kind in (ChatOpenAI, LeanChatOpenAI):
        with pytest.raises(openai.APIStatusError) as error:
            await ask(kind, endpoint, earlier=earlier)
        caught.append((error.value.status_code, error.value.code))
    assert caught[0] == caught[1] == (status, "some_code")


@EARLIER
@pytest.mark.parametrize(
    ("text", "content_type"),
    [
        ("<html>down</html>", "text/html"),
        ('{"error": {"message": "overloaded"}}', "application/json"),
        ('{"choices": null}', "application/json"),
        ('{"half', "application/json"),
    ],
)
async def test_a_body_that_is_no_completion_raises_in_both(
    endpoint: Endpoint, text: str, content_type: str, *, earlier: bool
) -> None:
    endpoint.text, endpoint.type = text, content_type
    for kind in (ChatOpenAI, LeanChatOpenAI):
        with pytest.raises((ValueError, KeyError, TypeError, openai.APIError)):
            await ask(kind, endpoint, earlier=earlier)
