"""The stand-in endpoint over real HTTP, read by the official client."""

import socket

import aiohttp
import pytest
from openai import AsyncOpenAI, BadRequestError
from openai.types.chat import ChatCompletionMessageParam

from jiraiya_events.adapters.standin.__main__ import main
from jiraiya_events.adapters.standin.server import serve_standin

MESSAGES: list[ChatCompletionMessageParam] = [
    {"role": "user", "content": '{"keywords": ["fox"], "length": "short"}'}
]


async def test_the_official_client_reads_a_story_and_its_usage() -> None:
    """Model echoed, usage counted, request id and fingerprint there."""
    async with (
        serve_standin(latency_s=0) as url,
        AsyncOpenAI(api_key="x", base_url=url, max_retries=0) as client,
    ):
        told = await client.chat.completions.create(model="gpt-x", messages=MESSAGES)
    assert told.model == "gpt-x"
    assert "fox" in (told.choices[0].message.content or "")
    assert told.usage is not None
    assert told.usage.completion_tokens > 200
    assert told.system_fingerprint is not None
    assert told._request_id is not None


async def test_a_streamed_story_equals_the_whole_one_and_ends_with_usage() -> None:
    """The pieces joined are the same story; the last chunk has the tokens."""
    async with (
        serve_standin(latency_s=0) as url,
        AsyncOpenAI(api_key="x", base_url=url, max_retries=0) as client,
    ):
        whole = await client.chat.completions.create(model="m", messages=MESSAGES)
        stream = await client.chat.completions.create(
            model="m",
            messages=MESSAGES,
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = [chunk async for chunk in stream]
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == whole.choices[0].message.content
    assert chunks[-1].usage == whole.usage


async def test_models_are_listed_and_bad_requests_refused() -> None:
    """The list has one model; a body without messages is a 400 with its parameter."""
    async with (
        serve_standin(latency_s=0) as url,
        AsyncOpenAI(api_key="x", base_url=url, max_retries=0) as client,
    ):
        assert [model.id async for model in client.models.list()] == ["jiraiya-stand-in"]
        with pytest.raises(BadRequestError) as refused:
            await client.chat.completions.create(model="m", messages=[])
        async with (
            aiohttp.ClientSession() as http,
            http.post(f"{url}/chat/completions", data=b"{") as response,
        ):
            assert response.status == 400
    assert refused.value.param == "messages"


def test_a_taken_port_is_one_readable_line(capsys: pytest.CaptureFixture[str]) -> None:
    """The process exits 1 and says which option to change."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["--port", str(taken.getsockname()[1])]) == 1
    assert "choose another --port" in capsys.readouterr().err
