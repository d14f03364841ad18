"""The fault-injecting endpoint over real HTTP, seen by a client that is not ours."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable

import aiohttp
import pytest
from openai import APIError, AsyncOpenAI, BadRequestError, RateLimitError

from jiraiya_events.testing.fault_plan import FaultPicker, FaultPlan, Latency
from jiraiya_events.testing.faults import REFUSALS, Fault
from jiraiya_events.testing.faulty_calls import FaultyEndpoint
from jiraiya_events.testing.faulty_endpoint import main, serve_faulty

WISH = {"keywords": ["fox", "k-7"], "length": "medium"}
BODY = {"model": "m", "messages": [{"role": "user", "content": json.dumps(WISH)}]}
JSON_BODY = {**BODY, "response_format": {"type": "json_object"}}


@pytest.fixture
async def endpoint() -> AsyncIterator[FaultyEndpoint]:
    """A faulty endpoint on a free port."""
    async with serve_faulty() as served:
        yield served


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """A plain HTTP client."""
    async with aiohttp.ClientSession() as session:
        yield session


async def _post(
    http: aiohttp.ClientSession, endpoint: FaultyEndpoint, body: object = JSON_BODY
) -> tuple[int, bytes]:
    async with http.post(f"{endpoint.base_url}/chat/completions", json=body) as response:
        return response.status, await response.read()


async def test_a_story_has_the_asked_length_and_names_its_marker(
    endpoint: FaultyEndpoint, http: aiohttp.ClientSession
) -> None:
    """A good call answers with title and content of the length that the prompt asks for."""
    status, body = await _post(http, endpoint)
    story = json.loads(json.loads(body)["choices"][0]["message"]["content"])
    assert status == 200
    assert story["title"] == "A Story for k-7"
    assert len(story["content"].split()) == 500


@pytest.mark.parametrize("fault", list(REFUSALS))
async def test_every_refusal_arrives_with_its_own_status_and_body(
    endpoint: FaultyEndpoint, http: aiohttp.ClientSession, fault: Fault
) -> None:
    """The wire shows exactly what the fault's definition says."""
    endpoint.configure(default=fault)
    assert await _post(http, endpoint) == (REFUSALS[fault].status, REFUSALS[fault].body)


@pytest.mark.parametrize(
    ("fault", "finish_reason"),
    [
        (Fault.TRUNCATED, "length"),
        (Fault.NO_FINISH_REASON, None),
        (Fault.CONTENT_FILTER, "content_filter"),
        (Fault.INVALID_JSON, "stop"),
        (Fault.EMPTY, "stop"),
        (Fault.REFUSAL, "stop"),
    ],
)
async def test_spoiled_answers_are_spoiled_the_same_way_when_streamed(
    endpoint: FaultyEndpoint, fault: Fault, finish_reason: str | None
) -> None:
    """The official client reads the same content and finish reason whole and streamed."""
    endpoint.configure(default=fault)
    async with AsyncOpenAI(api_key="x", base_url=endpoint.base_url, max_retries=0) as client:
        whole = await client.chat.completions.create(**JSON_BODY)  # type: ignore[call-overload]
        stream = await client.chat.completions.create(**JSON_BODY, stream=True)  # type: ignore[call-overload]
        choices = [chunk.choices[0] async for chunk in stream if chunk.choices]
    assert whole.choices[0].finish_reason == finish_reason
    assert next((c.finish_reason for c in choices if c.finish_reason), None) == finish_reason
    streamed = "".join(choice.delta.content or "" for choice in choices)
    assert whole.choices[0].message.content == streamed


@pytest.mark.parametrize("fault", [Fault.TOO_SHORT, Fault.TOO_LONG])
async def test_stories_of_the_wrong_length_are_far_off(
    endpoint: FaultyEndpoint, http: aiohttp.ClientSession, fault: Fault
) -> None:
    """Wrong means outside 0.4 to 2 times of what was asked."""
    endpoint.configure(default=fault)
    _, body = await _post(http, endpoint, BODY)
    words = len(json.loads(body)["choices"][0]["message"]["content"].split())
    assert not 200 <= words <= 1000


async def test_admission_over_the_limit_is_refused_and_says_when_to_return(
    endpoint: FaultyEndpoint,
) -> None:
    """With N calls in flight the next gets 429, Retry-After and the rate-limit headers."""
    endpoint.configure(admission_limit=1, hold=True, retry_after_s=2)
    async with AsyncOpenAI(api_key="x", base_url=endpoint.base_url, max_retries=0) as client:
        first = asyncio.create_task(client.chat.completions.create(**BODY))  # type: ignore[call-overload]
        await _until(lambda: endpoint.stats.in_flight == 1)
        with pytest.raises(RateLimitError) as refused:
            await client.chat.completions.create(**BODY)  # type: ignore[call-overload]
        endpoint.configure(hold=False)
        assert (await first).choices[0].finish_reason == "stop"
    headers = refused.value.response.headers
    assert headers["retry-after"] == "2"
    assert headers["x-ratelimit-remaining-requests"] == "0"
    assert endpoint.stats.refused_admission == 1
    assert endpoint.stats.max_in_flight == 1


async def test_scripts_are_used_up_from_the_front_and_own_scripts_first(
    endpoint: FaultyEndpoint, http: aiohttp.ClientSession
) -> None:
    """The marker's script comes before everybody's, and then the default."""
    endpoint.configure(script=["error_500"], script_by_key={"k-7": ["error_503"]})
    assert [(await _post(http, endpoint))[0] for _ in range(3)] == [503, 500, 200]


@pytest.mark.parametrize("fault", [Fault.DROP_BEFORE_HEADERS, Fault.DROP_AFTER_HEADERS])
@pytest.mark.parametrize("streamed", [False, True])
async def test_a_dropped_connection_never_gives_a_whole_answer(
    endpoint: FaultyEndpoint, http: aiohttp.ClientSession, fault: Fault, *, streamed: bool
) -> None:
    """The client sees a broken connection, not a short answer."""
    endpoint.configure(default=fault)
    with pytest.raises(aiohttp.ClientError):
        await _post(http, endpoint, {**BODY, "stream": streamed})
    assert endpoint.stats.stories_by_key == {}


async def test_a_stream_can_break_off_with_an_error_event(endpoint: FaultyEndpoint) -> None:
    """The official client reads half a story, then raises what the event says."""
    endpoint.configure(default=Fault.STREAM_ERROR)
    told: list[str] = []

    async def read(client: AsyncOpenAI) -> None:
        stream = await client.chat.completions.create(**BODY, stream=True)  # type: ignore[call-overload]
        async for chunk in stream:
            told.append(chunk.choices[0].delta.content)  # noqa: PERF401 - it breaks off

    async with AsyncOpenAI(api_key="x", base_url=endpoint.base_url, max_retries=0) as client:
        with pytest.raises(APIError, match="The server had an error"):
            await read(client)
    assert "".join(told).startswith("A Story for k-7")
    assert endpoint.stats.stories_by_key == {}


@pytest.mark.parametrize("fault", [Fault.HANG, Fault.STALL])
@pytest.mark.parametrize("streamed", [False, True])
async def test_hanging_up_is_counted_as_an_abort(
    endpoint: FaultyEndpoint, http: aiohttp.ClientSession, fault: Fault, *, streamed: bool
) -> None:
    """A call that hangs is over when its client goes, and is counted as aborted."""
    endpoint.configure(default=fault)
    call = asyncio.create_task(_post(http, endpoint, {**BODY, "stream": streamed}))
    await _until(lambda: endpoint.stats.in_flight == 1)
    call.cancel()
    await _until(lambda: endpoint.stats.aborted == 1)
    assert endpoint.stats.in_flight == 0


async def test_control_and_stats_work_over_http(
    endpoint: FaultyEndpoint, http: aiohttp.ClientSession
) -> None:
    """Another process can switch faults on, read the counts per marker, and start afresh."""
    root = endpoint.base_url.removesuffix("/v1")
    async with http.post(f"{root}/_control", json={"default": "error_500"}) as response:
        assert response.status == 200
    assert (await _post(http, endpoint))[0] == 500
    async with http.get(f"{root}/_stats") as response:
        stats = await response.json()
    assert (stats["calls"], stats["calls_by_key"], stats["stories_by_key"]) == (1, {"k-7": 1}, {})
    async with http.post(f"{root}/_control", json={"default": "ok", "reset_stats": True}):
        pass
    assert endpoint.stats.calls == 0


@pytest.mark.parametrize("changes", [{"defualt": "ok"}, {"default": "no such"}, [1], "x"])
async def test_a_wrong_plan_is_refused_and_changes_nothing(
    endpoint: FaultyEndpoint, http: aiohttp.ClientSession, changes: object
) -> None:
    """A misspelt field is an error, not a silent success."""
    root = endpoint.base_url.removesuffix("/v1")
    async with http.post(f"{root}/_control", json=changes) as response:
        assert response.status == 400
    assert endpoint.plan == FaultPlan()


async def test_a_context_overflow_carries_its_code(endpoint: FaultyEndpoint) -> None:
    """The official client finds the code that the text lacks."""
    endpoint.configure(default=Fault.CONTEXT_LENGTH)
    async with AsyncOpenAI(api_key="x", base_url=endpoint.base_url, max_retries=0) as client:
        with pytest.raises(BadRequestError) as refused:
            await client.chat.completions.create(**BODY)  # type: ignore[call-overload]
    assert refused.value.code == "context_length_exceeded"


async def test_models_are_listed_and_other_paths_are_not_found(
    endpoint: FaultyEndpoint, http: aiohttp.ClientSession
) -> None:
    """The list has one model; anything else is a plain 404."""
    async with http.get(f"{endpoint.base_url}/models") as response:
        assert [model["id"] for model in (await response.json())["data"]] == ["faulty-endpoint"]
    async with http.get(f"{endpoint.base_url}/nothing") as response:
        assert response.status == 404


def test_a_lognormal_latency_has_the_mean_it_was_given() -> None:
    """10,000 seeded draws average within 3 % of the mean, so C / L can be computed from it."""
    picker = FaultPicker(FaultPlan(latency=Latency(kind="lognormal", seconds=2.0, sigma=0.5)))
    draws = [picker.latency(None) for _ in range(10_000)]
    assert sum(draws) / len(draws) == pytest.approx(2.0, rel=0.03)
    assert min(draws) < 1.0
    assert max(draws) > 4.0


def test_probable_faults_come_as_often_as_asked_and_the_same_every_time() -> None:
    """The dice are seeded: two pickers of one plan agree call by call."""
    plan = FaultPlan(probability={Fault.ERROR_503: 0.2, Fault.HTML: 0.1}, seed=7)
    one, other = FaultPicker(plan), FaultPicker(plan)
    faults = [one.fault(None) for _ in range(5_000)]
    assert faults == [other.fault(None) for _ in range(5_000)]
    assert faults.count(Fault.ERROR_503) / 5_000 == pytest.approx(0.2, abs=0.02)


def test_latency_of_one_key_does_not_touch_the_others() -> None:
    """A slow head can be staged without slowing everybody."""
    picker = FaultPicker(FaultPlan(latency_by_key={"k-slow": 60.0}))
    assert (picker.latency("k-slow"), picker.latency("k-1")) == (60.0, 0.0)


def test_probabilities_over_one_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """The process says what is wrong with its plan and exits 1."""
    assert main(["--plan", '{"probability": {"html": 0.7, "error_500": 0.7}}']) == 1
    assert "add up to more than 1" in capsys.readouterr().err


async def _until(truth: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not truth():  # noqa: ASYNC110 - the endpoint's counts have no event
            await asyncio.sleep(0)
