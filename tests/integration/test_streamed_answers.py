"""Streamed calls of the chat model: what is told on the way, how they end, how they break."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable

import pytest
from aiohttp import web

from jiraiya_events.adapters.llm.chat_model import ChatModel
from jiraiya_events.generation.answer import Draft, read_answer
from jiraiya_events.generation.faults import FaultKind
from jiraiya_events.generation.paid import ModelAnswer
from jiraiya_events.generation.prompt import AnswerForm
from jiraiya_events.testing.faults import Fault
from jiraiya_events.testing.faulty_calls import FaultyEndpoint
from jiraiya_events.testing.faulty_endpoint import serve_faulty
from tests.integration.model_endpoint import Endpoint, Reply, ask, fault_of, in_use, options

SOON = 0.3


@pytest.fixture
async def faulty() -> AsyncIterator[FaultyEndpoint]:
    """An endpoint that fails on demand."""
    async with serve_faulty() as served:
        yield served


@pytest.fixture
async def streamer(faulty: FaultyEndpoint) -> AsyncIterator[ChatModel]:
    """A chat model of it."""
    model = ChatModel(options(faulty.base_url))
    yield model
    await model.aclose()


def events(*datas: str) -> Reply:
    """Return a reply of server-sent events, the last of which is not the end of the stream."""

    async def reply(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for data in datas:
            await response.write(f"data: {data}\n\n".encode())
        return response

    return reply


def chunk(content: str = "", finish_reason: str | None = None) -> str:
    """Return one chunk of a streamed answer."""
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": finish_reason}
    return json.dumps({"id": "c", "object": "chat.completion.chunk", "choices": [choice]})


async def until(truth: Callable[[], bool]) -> None:
    """Wait, for a while, until something holds."""
    async with asyncio.timeout(30):
        while not truth():  # noqa: ASYNC110 - the endpoint's counts have no event
            await asyncio.sleep(0.001)


async def test_a_streamed_answer_is_the_whole_one_and_its_deltas_are_its_content(
    faulty: FaultyEndpoint, streamer: ChatModel
) -> None:
    """Proves text, end, usage, model, provider and headers, with the text told in many parts."""
    faulty.configure(admission_limit=9)
    deltas: list[str] = []
    whole = await ask(streamer)
    streamed = await ask(streamer, on_text=deltas.append)
    assert facts(streamed) == facts(whole)
    assert streamed.usage is not None
    assert set(streamed.headers) == set(whole.headers)
    draft = read_answer(streamed)
    assert isinstance(draft, Draft)
    assert "".join(deltas) == draft.content
    assert len(deltas) > 5


def facts(answer: ModelAnswer) -> tuple[object, ...]:
    """Return all of an answer but its headers, which count calls."""
    return (answer.text, answer.finish_reason, answer.refusal, answer.usage, answer.model,
            answer.provider, answer.form)  # fmt: skip


async def test_it_streams_only_when_somebody_reads_along(
    endpoint: Endpoint, chat: ChatModel
) -> None:
    """Proves that the usage is asked for as well, which a stream does not bring by itself."""
    endpoint.replies = [events(chunk("{}"), chunk(finish_reason="stop"), "[DONE]")]
    await ask(chat, on_text=lambda _: None)
    (body,) = endpoint.bodies
    assert body["stream"] is True
    assert body["stream_options"] == {"include_usage": True}
    assert body["response_format"]["json_schema"]["strict"] is True


@pytest.mark.parametrize(
    "message",
    ["unknown field", "'response_format' of type 'json_schema' is not supported with this model"],
)
async def test_a_stream_turns_to_the_text_form_as_a_whole_answer_does(
    endpoint: Endpoint, chat: ChatModel, message: str
) -> None:
    """Proves that LangChain's own handling of that refusal is no obstacle."""

    async def refuse(_: web.Request) -> web.Response:
        body = {"error": {"message": message, "param": "response_format", "code": None}}
        return web.json_response(body, status=400)

    deltas: list[str] = []
    told = events(chunk("Title\n"), chunk("\nOnce upon"), chunk(" a time.", "stop"))
    endpoint.replies = [refuse, told]
    answer = await ask(chat, on_text=deltas.append)
    assert answer.form is AnswerForm.TEXT
    assert deltas == ["Once upon", " a time."]


@pytest.mark.parametrize(
    ("fault", "finish_reason"),
    [
        (Fault.REFUSAL, "stop"),
        (Fault.EMPTY, "stop"),
        (Fault.CONTENT_FILTER, "content_filter"),
        (Fault.TRUNCATED, "length"),
    ],
)
async def test_a_stream_without_a_story_ends_as_a_whole_answer_does(
    faulty: FaultyEndpoint, streamer: ChatModel, fault: Fault, finish_reason: str
) -> None:
    """Proves that the reader finds the same flaw; a refusal leaves no text behind."""
    faulty.configure(default=fault)
    answer = await ask(streamer, on_text=lambda _: None)
    assert answer.finish_reason == finish_reason
    assert read_answer(answer) == read_answer(await ask(streamer))


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault.DROP_BEFORE_HEADERS, FaultKind.DROPPED),
        (Fault.DROP_AFTER_HEADERS, FaultKind.CUT_STREAM),
        (Fault.NO_FINISH_REASON, FaultKind.CUT_STREAM),
        (Fault.STREAM_ERROR, FaultKind.STREAM_ERROR),
        (Fault.STALL, FaultKind.TIMEOUT),
        (Fault.HANG, FaultKind.TIMEOUT),
        (Fault.HTML, FaultKind.BAD_BODY),
        (Fault.ERROR_BODY, FaultKind.BAD_BODY),
    ],
)
async def test_a_stream_that_breaks_tells_how_and_leaves_no_connection(
    faulty: FaultyEndpoint, streamer: ChatModel, fault: Fault, kind: FaultKind
) -> None:
    """Proves that half a story is never taken for one, and that what may be billed says so."""
    faulty.configure(default=fault)
    silence_s = SOON if kind is FaultKind.TIMEOUT else 60.0
    broken = await fault_of(streamer, silence_s, on_text=lambda _: None)
    assert broken.kind is kind
    assert broken.kind.may_be_billed
    await until(lambda: faulty.stats.in_flight == 0)


async def test_an_error_event_says_what_the_provider_said(
    endpoint: Endpoint, chat: ChatModel
) -> None:
    """Proves that the provider's code is kept, for the operator."""
    event = {"error": {"message": "slow down", "type": "requests", "code": "rate_limit_exceeded"}}
    endpoint.replies = [events(chunk("{"), json.dumps(event))]
    fault = await fault_of(chat, on_text=lambda _: None)
    assert (fault.kind, fault.provider_code) == (FaultKind.STREAM_ERROR, "rate_limit_exceeded")
    assert fault.detail == "slow down"


async def test_a_chunk_that_is_no_json_is_a_bad_body(endpoint: Endpoint, chat: ChatModel) -> None:
    """Proves that an exception from outside the client's own tree has its kind."""
    endpoint.replies = [events(chunk("{"), '{"half')]
    assert (await fault_of(chat, on_text=lambda _: None)).kind is FaultKind.BAD_BODY


async def test_a_story_in_parts_is_read_and_printed_nowhere(
    endpoint: Endpoint,
    chat: ChatModel,
    recwarn: pytest.WarningsRecorder,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Proves that the client's warning about such parts, which quotes them, does not come."""
    part = {"type": "text", "text": '{"title": "T", "content": "Once"}'}
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    delta = {"role": "assistant", "content": [thought, part]}
    first = {"id": "c", "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    endpoint.replies = [events(json.dumps(first), chunk(finish_reason="stop"), "[DONE]")]
    deltas: list[str] = []
    answer = await ask(chat, on_text=deltas.append)
    assert (answer.text, deltas) == (part["text"], ["Once"])
    assert [str(one.message) for one in recwarn] == []
    assert capfd.readouterr() == ("", "")


async def test_a_byte_order_mark_hides_no_event(endpoint: Endpoint, chat: ChatModel) -> None:
    """Proves that the first event counts, as the specification of SSE says."""

    async def marked(_: web.Request) -> web.Response:
        text = f"\ufeffdata: {chunk('{first')}\n\ndata: {chunk('}', 'stop')}\n\n"
        return web.Response(text=text, content_type="text/event-stream")

    endpoint.replies = [marked]
    assert (await ask(chat, on_text=lambda _: None)).text == "{first}"


async def test_of_several_choices_the_first_is_the_answer(
    endpoint: Endpoint, chat: ChatModel
) -> None:
    """Proves that two stories are not mixed into one; an end without a delta is one too."""
    one, other, end = (
        {"index": 0, "delta": {"content": "one "}},
        {"index": 1, "delta": {"content": "other "}, "finish_reason": "length"},
        {"index": 0, "delta": None, "finish_reason": "stop"},
    )
    sent = [[one], [other], [other, one], [end], [other]]
    endpoint.replies = [events(*(json.dumps({"id": "c", "choices": some}) for some in sent))]
    answer = await ask(chat, on_text=lambda _: None)
    assert (answer.text, answer.finish_reason) == ("one one ", "stop")


async def test_the_story_is_not_in_the_fault_of_a_stream(
    endpoint: Endpoint, chat: ChatModel
) -> None:
    """Proves that a provider may repeat what it had written so far."""
    event = {"error": {"message": "gave up at: Once upon a time, far away"}}
    endpoint.replies = [events(chunk("Once upon a"), chunk(" time, far"), json.dumps(event))]
    fault = await fault_of(chat, on_text=lambda _: None)
    assert fault.detail == "gave up at: … away"


async def test_keep_alive_comments_do_not_hide_a_silence(
    endpoint: Endpoint, chat: ChatModel
) -> None:
    """Proves that the limit is on the silence of the model, not on that of the wire."""

    async def murmur(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        while True:
            await response.write(b": still here\n\n")
            await asyncio.sleep(SOON / 10)

    endpoint.replies = [murmur]
    assert (await fault_of(chat, SOON, on_text=lambda _: None)).kind is FaultKind.TIMEOUT


async def test_cancelling_a_stream_closes_its_connection_at_once(
    faulty: FaultyEndpoint, streamer: ChatModel
) -> None:
    """Proves that the provider sees it in the middle of the story."""
    faulty.configure(default=Fault.STALL)
    deltas: list[str] = []
    call = asyncio.create_task(ask(streamer, 30.0, on_text=deltas.append))
    await until(lambda: bool(deltas))
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert in_use(streamer) == 0
    await until(lambda: faulty.stats.aborted == 1)
