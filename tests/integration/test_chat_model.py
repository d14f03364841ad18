"""The chat model against a real HTTP endpoint on the loopback interface."""

import asyncio
import json
from dataclasses import replace

import openai
import pytest
from aiohttp import web
from pydantic import SecretStr

from jiraiya_events.adapters.llm import faults
from jiraiya_events.adapters.llm.chat_model import ChatModel, OnText
from jiraiya_events.adapters.llm.options import Fallback, FormChoice, LlmOptions
from jiraiya_events.domain.codes import ErrorCode
from jiraiya_events.domain.errors import SettingsError
from jiraiya_events.domain.story import Usage
from jiraiya_events.generation import classification
from jiraiya_events.generation.classification import Counts, Retry
from jiraiya_events.generation.faults import Fault, FaultKind
from jiraiya_events.generation.paid import ModelAnswer
from jiraiya_events.generation.prompt import AnswerForm
from tests.blackbox.service import refused_port
from tests.integration.model_endpoint import (
    KEY,
    Endpoint,
    Reply,
    ask,
    completion,
    cut_short,
    drop,
    error,
    fault_of,
    hang,
    ok_but,
    options,
    scripted,
)


async def test_an_answer_arrives_with_its_tokens_and_its_model(
    endpoint: Endpoint, chat: ChatModel
) -> None:
    """Proves the mapping of text, reason, usage, model and the few headers kept."""
    endpoint.replies = [completion('{"title": "T", "content": "C"}')]
    assert await ask(chat) == ModelAnswer(
        text='{"title": "T", "content": "C"}',
        finish_reason="stop",
        refusal=None,
        usage=Usage(input_tokens=11, cached_input_tokens=5, output_tokens=7, reasoning_tokens=3),
        model="some-2026",
        provider="openai-compatible",
        headers={"x-request-id": "r-1"},
    )


async def test_the_request_carries_the_prompt_the_model_and_the_schema(
    endpoint: Endpoint, chat: ChatModel
) -> None:
    """Proves what goes over the wire, the limit of output tokens included."""
    endpoint.replies = [completion()]
    await ask(chat, model="other", max_output_tokens=99)
    (body,) = endpoint.bodies
    assert body["model"] == "other"
    assert body["max_completion_tokens"] == 99
    assert body["response_format"]["json_schema"]["strict"] is True
    assert [one["role"] for one in body["messages"]] == ["system", "user"]
    assert json.loads(body["messages"][1]["content"])["keywords"] == ["a fox"]
    assert not body.get("stream")


async def refuse_schema(_: web.Request) -> web.Response:
    """Answer as an endpoint that knows no structured output."""
    body = {"error": {"message": "unknown", "param": "response_format", "code": None}}
    return web.json_response(body, status=400)


async def test_an_endpoint_without_structured_output_is_asked_for_text_from_then_on(
    endpoint: Endpoint, chat: ChatModel
) -> None:
    """Proves that the 400 is remembered per model and costs one extra call only once."""
    endpoint.replies = [refuse_schema, completion("T\n\nC")]
    assert (await ask(chat)).form is AnswerForm.TEXT
    assert (await ask(chat)).form is AnswerForm.TEXT
    assert ["response_format" in body for body in endpoint.bodies] == [True, False, False]
    assert "first line" in endpoint.bodies[-1]["messages"][0]["content"]


@pytest.mark.parametrize("form", [FormChoice.JSON, FormChoice.TEXT])
async def test_a_fixed_form_is_kept(endpoint: Endpoint, form: FormChoice) -> None:
    """Proves that nothing is tried out where the operator has decided."""
    endpoint.replies = [refuse_schema if form is FormChoice.JSON else completion()]
    chat = ChatModel(replace(options(endpoint.base_url), answer_form=form))
    if form is FormChoice.JSON:
        assert (await fault_of(chat)).status == 400
    else:
        assert (await ask(chat)).form is AnswerForm.TEXT
    await chat.aclose()
    assert ["response_format" in body for body in endpoint.bodies] == [form is FormChoice.JSON]


async def test_every_account_is_asked_with_its_own_key_and_no_other(endpoint: Endpoint) -> None:
    """Proves the way of every candidate: its endpoint, its key, and the model's name there."""
    async with scripted() as other:
        endpoint.replies = other.replies = [completion()]
        fallbacks = (
            Fallback("other"),
            Fallback("some", other.base_url, SecretStr("sk-theirs")),
            Fallback("some", api_key=SecretStr("sk-second")),
        )
        chat = ChatModel(replace(options(endpoint.base_url), fallbacks=fallbacks))
        for name in ("some", "other", "some@2", "some@3", "allowed"):
            await ask(chat, model=name)
        await chat.aclose()
    asked = [body["model"] for body in endpoint.bodies]
    assert list(zip(asked, endpoint.keys, strict=True)) == [
        ("some", KEY), ("other", KEY), ("some", "sk-second"), ("allowed", KEY)
    ]  # fmt: skip
    assert [body["model"] for body in other.bodies] == ["some"]
    assert other.keys == ["sk-theirs"]


async def test_a_refusal_is_told_apart_from_an_empty_answer(
    endpoint: Endpoint, chat: ChatModel
) -> None:
    """Proves that the refusal of a non-streaming answer is read."""
    endpoint.replies = [completion(None, refusal="I would rather not.")]
    answer = await ask(chat)
    assert (answer.text, answer.refusal) == ("", "I would rather not.")


async def test_half_a_surrogate_pair_cannot_get_in(endpoint: Endpoint, chat: ChatModel) -> None:
    """Proves that the text of any answer can be encoded as UTF-8."""
    endpoint.replies = [completion("moon \ud83c")]
    assert (await ask(chat)).text == "moon ?"


ROWS: list[tuple[str, Reply, FaultKind, Retry, Counts, ErrorCode]] = [
    ("429", error(429), FaultKind.HTTP, Retry.AFTER_RETRY_AFTER, Counts.NO,
     ErrorCode.PROVIDER_RATE_LIMITED),
    ("429 quota", error(429, "insufficient_quota"), FaultKind.HTTP, Retry.AFTER_BREAKER,
     Counts.OPENS, ErrorCode.PROVIDER_QUOTA),
    ("402", error(402), FaultKind.HTTP, Retry.AFTER_BREAKER, Counts.OPENS,
     ErrorCode.PROVIDER_QUOTA),
    *(
        (str(status), error(status), FaultKind.HTTP, Retry.YES, Counts.YES,
         ErrorCode.PROVIDER_UNAVAILABLE)
        for status in (500, 502, 503, 504, 529, 408)
    ),
    ("409", error(409), FaultKind.HTTP, Retry.YES, Counts.NO, ErrorCode.PROVIDER_UNAVAILABLE),
    ("dropped", drop, FaultKind.DROPPED, Retry.ONCE, Counts.YES, ErrorCode.PROVIDER_TIMEOUT),
    ("cut short", cut_short, FaultKind.DROPPED, Retry.ONCE, Counts.YES,
     ErrorCode.PROVIDER_TIMEOUT),
    ("html", ok_but("<html>", "text/html"), FaultKind.BAD_BODY, Retry.ONCE, Counts.YES,
     ErrorCode.PROVIDER_BAD_RESPONSE),
    ("no json", ok_but("{", "application/json"), FaultKind.BAD_BODY, Retry.ONCE, Counts.YES,
     ErrorCode.PROVIDER_BAD_RESPONSE),
    ("error with 200", ok_but('{"error": {"message": "m"}}', "application/json"),
     FaultKind.BAD_BODY, Retry.ONCE, Counts.YES, ErrorCode.PROVIDER_BAD_RESPONSE),
    ("no choices", ok_but('{"choices": []}', "application/json"), FaultKind.BAD_BODY, Retry.ONCE,
     Counts.YES, ErrorCode.PROVIDER_BAD_RESPONSE),
    ("context", error(400, "context_length_exceeded"), FaultKind.HTTP, Retry.NO, Counts.NO,
     ErrorCode.CONTEXT_TOO_LONG),
    ("filter", error(400, "content_filter"), FaultKind.HTTP, Retry.NO, Counts.NO,
     ErrorCode.CONTENT_BLOCKED),
    ("400", error(400), FaultKind.HTTP, Retry.NO, Counts.NO, ErrorCode.PROVIDER_BAD_RESPONSE),
    ("422", error(422), FaultKind.HTTP, Retry.NO, Counts.NO, ErrorCode.PROVIDER_BAD_RESPONSE),
    *(
        (str(status), error(status), FaultKind.HTTP, Retry.AFTER_BREAKER, Counts.OPENS,
         ErrorCode.PROVIDER_AUTH)
        for status in (401, 403, 404)
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("reply", "row"),
    [(reply, row) for _, reply, *row in ROWS],
    ids=[row[0] for row in ROWS],
)
@pytest.mark.parametrize("on_text", [None, lambda _: None], ids=["whole", "streamed"])
async def test_every_failure_leads_to_its_row_of_the_table(
    endpoint: Endpoint,
    chat: ChatModel,
    reply: Reply,
    row: list[object],
    on_text: OnText | None,
) -> None:
    """Proves fault and verdict as the real client reports them, one call each."""
    endpoint.replies = [reply]
    fault = await fault_of(chat, on_text=on_text)
    verdict = classification.of_fault(fault)
    assert [fault.kind, verdict.retry, verdict.counts, verdict.code] == row
    assert len(endpoint.bodies) == 1


async def test_a_refused_connection_is_not_taken_for_a_time_out() -> None:
    """Proves that nothing was sent: the request may be repeated without a doubt."""
    with refused_port() as port:
        chat = ChatModel(options(f"http://127.0.0.1:{port}/v1"))
        fault = await fault_of(chat)
        streamed = await fault_of(chat, on_text=print)
    assert streamed == fault
    await chat.aclose()
    assert fault.kind is FaultKind.REFUSED
    assert not fault.kind.may_be_billed


async def test_an_endpoint_that_goes_away_is_refused() -> None:
    """Proves it for a client that has reached it before."""
    async with scripted() as gone:
        gone.replies = [completion()]
        chat = ChatModel(options(gone.base_url))
        await ask(chat)
    fault = await fault_of(chat)
    await chat.aclose()
    assert fault.kind is FaultKind.REFUSED


async def test_a_name_that_does_not_resolve_is_told_as_such() -> None:
    """Proves that a DNS failure is not taken for a time-out either."""
    chat = ChatModel(options("http://nowhere.invalid/v1"))
    fault = await fault_of(chat)
    await chat.aclose()
    assert fault.kind is FaultKind.DNS


_REQUEST = openai.APIError("m", request=None, body=None).request  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (openai.APIError("m", _REQUEST, body=None), FaultKind.STREAM_ERROR),
        (openai.APITimeoutError(_REQUEST), FaultKind.TIMEOUT),
        (openai.APIConnectionError(request=_REQUEST), FaultKind.DROPPED),
        (KeyError("choices"), FaultKind.BAD_BODY),
    ],
)
def test_an_error_without_a_known_cause_still_has_a_kind(
    raised: Exception, kind: FaultKind
) -> None:
    """Proves the last resort of the mapping, an error event without a status included."""
    assert faults.fault_of(raised).kind is kind


async def test_silence_is_a_time_out_that_may_be_billed(
    endpoint: Endpoint, chat: ChatModel
) -> None:
    """Proves that the time-out given with the call is the one that counts."""
    endpoint.replies = [hang]
    fault = await fault_of(chat, timeout_s=0.2)
    assert fault.kind is FaultKind.TIMEOUT
    assert fault.kind.may_be_billed


async def test_cancelling_a_call_closes_its_connection(endpoint: Endpoint, chat: ChatModel) -> None:
    """Proves that a deadline stops the provider's work as far as we can."""
    endpoint.replies = [hang]
    call = asyncio.create_task(ask(chat))
    async with asyncio.timeout(30):
        while not endpoint.bodies:  # noqa: ASYNC110 - what it was sent is no event
            await asyncio.sleep(0.001)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await endpoint.hung_up.wait()


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ({"Retry_After": "7"}, 7.0),
        ({"retry_after_ms": "250"}, 0.25),
        ({"Retry_After": "Fri, 01 Jan 2016 00:00:00 GMT"}, 0.0),
        ({"Retry_After": "soon"}, None),
        ({"Retry_After": "-3"}, None),
        ({}, None),
    ],
)
async def test_retry_after_is_read_in_every_form_it_has(
    endpoint: Endpoint, chat: ChatModel, header: dict[str, str], seconds: float | None
) -> None:
    """Proves seconds, milliseconds, dates, and that nonsense is ignored."""
    endpoint.replies = [error(429, None, **header)]
    assert (await fault_of(chat)).retry_after_s == seconds


async def test_more_than_a_hundred_calls_can_be_under_way(
    endpoint: Endpoint, chat: ChatModel
) -> None:
    """Proves that the connection pool has no cap of its own: the gate is ours."""
    everybody = asyncio.Event()

    async def wait_for_everybody(request: web.Request) -> web.StreamResponse:
        if len(endpoint.bodies) == 120:
            everybody.set()
        await everybody.wait()
        return await completion()(request)

    endpoint.replies = [wait_for_everybody]
    async with asyncio.timeout(60):
        answers = await asyncio.gather(*(ask(chat) for _ in range(120)))
    assert len(answers) == 120


async def test_an_endpoint_is_asked_for_its_models(endpoint: Endpoint) -> None:
    """Proves the list, an endpoint that has none, and the faults `doctor` tells apart."""
    cases: dict[str, tuple[LlmOptions, frozenset[str] | int | FaultKind | None]] = {
        "listed": (options(endpoint.base_url), frozenset({"some"})),
        "no list": (options(endpoint.base_url + "/x"), frozenset()),
        "wrong key": (options(endpoint.base_url, key="sk-other"), 401),
        "nobody": (options("http://nowhere.invalid/v1"), FaultKind.DNS),
    }
    for name, (one, expected) in cases.items():
        chat = ChatModel(one)
        found = await chat.models_of(one.main)
        await chat.aclose()
        if isinstance(found, Fault):
            assert expected in {found.status, found.kind}, name
        else:
            assert found == expected, name


@pytest.mark.parametrize("key", [None, SecretStr(" ")])
def test_a_missing_key_is_named(key: SecretStr | None) -> None:
    """Proves that the operator reads which setting to set."""
    with pytest.raises(SettingsError, match="JIRAIYA_LLM__API_KEY"):
        LlmOptions(api_key=key, model="some").key()


def test_a_key_never_shows() -> None:
    """Proves that printing the options prints no secret."""
    assert KEY not in repr(options("http://x/v1"))
