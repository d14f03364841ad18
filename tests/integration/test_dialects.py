"""Endpoints that know another name for the limit of an answer, whole and streamed."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from jiraiya_events.adapters.llm.chat_model import ChatModel, OnText
from jiraiya_events.adapters.llm.options import FormChoice
from tests.integration.model_endpoint import Endpoint, Reply, ask, completion, fault_of, options

NEW, OLD = "max_completion_tokens", "max_tokens"
WAYS = pytest.mark.parametrize("on_text", [None, lambda _: None], ids=["whole", "streamed"])
Refusal = Callable[[str], dict[str, Any]]


def as_fastapi(name: str) -> dict[str, Any]:
    return {"detail": [{"type": "extra_forbidden", "loc": ["body", name],
                        "msg": "Extra inputs are not permitted", "input": 16}]}  # fmt: skip


def as_mistral(name: str) -> dict[str, Any]:
    return {"object": "error", "message": as_fastapi(name), "type": "invalid", "param": None}


def by_param(name: str) -> dict[str, Any]:
    return {"error": {"message": "unknown field", "param": name, "code": "unknown"}}


def by_message(name: str) -> dict[str, Any]:
    other = NEW if name == OLD else OLD
    words = f"Unsupported parameter: {name!r} is not supported. Use {other!r} instead."
    return {"error": {"message": words, "param": None, "code": "unsupported_parameter"}}


def refusing(*names: str, saying: Refusal = by_message, status: int = 400) -> Reply:
    """Return an endpoint that answers, unless one of these is in the request."""

    async def reply(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        found = next((name for name in names if name in body), None)
        if found is not None:
            return web.json_response(saying(found), status=status)
        if not body.get("stream"):
            return await completion()(request)
        choice = {"index": 0, "delta": {"content": "text"}, "finish_reason": "stop"}
        chunk = json.dumps({"id": "c", "choices": [choice]})
        return web.Response(text=f"data: {chunk}\n\n", content_type="text/event-stream")

    return reply


def limits(endpoint: Endpoint) -> list[list[str]]:
    """Return under which names the limit stood in each request; each had the value 99."""
    assert all(body.get(name, 99) == 99 for body in endpoint.bodies for name in (NEW, OLD))
    return [[name for name in (NEW, OLD) if name in body] for body in endpoint.bodies]


@WAYS
@pytest.mark.parametrize("saying", [as_fastapi, as_mistral, by_param, by_message])
@pytest.mark.parametrize("status", [400, 422])
async def test_the_name_an_endpoint_refuses_is_not_used_again(
    endpoint: Endpoint, chat: ChatModel, on_text: OnText | None, saying: Refusal, status: int
) -> None:
    """Proves that the first request gets its answer, and later ones cost no second call."""
    endpoint.replies = [refusing(NEW, saying=saying, status=status)]
    for _ in range(2):
        assert (await ask(chat, max_output_tokens=99, on_text=on_text)).text == "text"
    assert limits(endpoint) == [[NEW], [OLD], [OLD]]
    assert all("response_format" in body for body in endpoint.bodies)


async def test_it_is_known_of_one_model_only(endpoint: Endpoint, chat: ChatModel) -> None:
    """Proves that a gateway may have models of both kinds."""
    endpoint.replies = [refusing(NEW)]
    await ask(chat, max_output_tokens=99)
    await ask(chat, max_output_tokens=99, model="other")
    assert limits(endpoint) == [[NEW], [OLD], [NEW], [OLD]]


async def test_it_is_learned_the_other_way_round_as_well(
    endpoint: Endpoint, chat: ChatModel
) -> None:
    """Proves that an endpoint may learn the new name while we run."""
    endpoint.replies = [refusing(NEW)]
    await ask(chat, max_output_tokens=99)
    endpoint.replies = [refusing(OLD)]
    for _ in range(2):
        await ask(chat, max_output_tokens=99)
    assert limits(endpoint)[2:] == [[OLD], [NEW], [NEW]]


async def test_an_endpoint_may_know_neither_the_name_nor_the_schema(
    endpoint: Endpoint, chat: ChatModel
) -> None:
    """Proves that one request learns both."""
    endpoint.replies = [refusing("response_format", NEW)]
    for _ in range(2):
        await ask(chat, max_output_tokens=99)
    assert limits(endpoint) == [[NEW], [NEW], [OLD], [OLD]]


@pytest.mark.parametrize("form", [FormChoice.JSON, FormChoice.TEXT])
async def test_the_name_is_learned_with_a_fixed_form_too(
    endpoint: Endpoint, form: FormChoice
) -> None:
    """Proves that the form is the operator's, and the name nobody's wish."""
    endpoint.replies = [refusing(NEW)]
    chat = ChatModel(replace(options(endpoint.base_url), answer_form=form))
    await ask(chat, max_output_tokens=99)
    await chat.aclose()
    assert limits(endpoint) == [[NEW], [OLD]]


async def test_who_refuses_both_names_is_asked_twice_and_nothing_is_learned(
    endpoint: Endpoint, chat: ChatModel
) -> None:
    """Proves that it ends, with the reason."""
    endpoint.replies = [refusing(NEW, OLD, saying=as_fastapi)]
    fault = await fault_of(chat, max_output_tokens=99)
    assert fault.detail == f"400 body.{OLD}: Extra inputs are not permitted"
    await fault_of(chat, max_output_tokens=99)
    assert limits(endpoint) == [[NEW], [OLD]] * 2


async def test_a_limit_that_is_too_large_is_not_asked_for_by_another_name(
    endpoint: Endpoint, chat: ChatModel
) -> None:
    """Proves that a refused value is not taken for a refused name."""
    words = f"{NEW} is too large: 99. This model supports at most 16 completion tokens."
    endpoint.replies = [refusing(NEW, saying=lambda _: {"error": {"message": words, "param": NEW}})]
    assert (await fault_of(chat, max_output_tokens=99)).status == 400
    assert limits(endpoint) == [[NEW]]


@WAYS
async def test_no_word_that_was_sent_comes_back_in_a_fault(
    endpoint: Endpoint, chat: ChatModel, on_text: OnText | None
) -> None:
    """Proves that a provider that repeats the whole prompt fills no log with it."""

    async def repeat(request: web.Request) -> web.Response:
        said = (await request.json())["messages"]
        body = {"error": {"message": f"cannot read {said[1]['content']} after {said[0]}"}}
        return web.json_response(body, status=500)

    endpoint.replies = [repeat]
    detail = (await fault_of(chat, on_text=on_text)).detail
    assert detail.startswith("500 cannot read …")
    assert "fox" not in detail
