"""The chat model against a mock endpoint written by others: a second opinion on the protocol.

`llmock` speaks OpenAI's HTTP as its authors read it, and keeps a journal of what it was sent.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable

import pytest
from llmock.pytest_plugin import LLMock

from jiraiya_events.adapters.llm.chat_model import ChatModel
from jiraiya_events.adapters.store.memory import MemoryStore
from jiraiya_events.domain.clock import SystemClock
from jiraiya_events.domain.codes import ErrorCode
from jiraiya_events.generation import classification
from jiraiya_events.generation.answer import Draft, read_answer
from jiraiya_events.generation.breaker import BreakerPolicy
from jiraiya_events.generation.breakers import Breakers
from jiraiya_events.generation.candidates import Candidate, Chains
from jiraiya_events.generation.faults import FaultKind
from jiraiya_events.generation.gate import AdaptiveGate
from jiraiya_events.generation.generator import Generator, GeneratorOptions
from jiraiya_events.generation.progress import Progress
from jiraiya_events.generation.prompt import AnswerForm
from jiraiya_events.generation.result_store import Stored
from jiraiya_events.generation.retry_policy import RetryPolicy
from jiraiya_events.generation.steps import Step, TryAgain, Written
from tests.integration.model_endpoint import ask, fault_of, in_use, options
from tests.unit.generation.scene import ID, REQUEST, FlatPrices
from tests.unit.generation.scene import STORY as STORY_OF_200_WORDS

STORY = {"title": "The Fox", "content": "Once upon a time, a fox.\n\nIt said “good night” 🦊."}
SILENCE_S = 1.0
PATIENCE_S = 30.0
LONG_S = 15.0


@pytest.fixture
async def mocked(llmock: LLMock) -> AsyncIterator[ChatModel]:
    """A chat model of it."""
    model = ChatModel(options(llmock.base_url()))
    yield model
    await model.aclose()


def ignore(_: str) -> None:
    """Read along, and make nothing of it."""


async def test_a_schema_is_kept_to_and_usage_is_counted(mocked: ChatModel) -> None:
    """An answer of its own making, which follows our response format."""
    answer = await ask(mocked)
    assert (answer.form, answer.finish_reason) == (AnswerForm.JSON, "stop")
    assert isinstance(read_answer(answer), Draft)
    assert answer.usage is not None
    assert answer.usage.output_tokens > 0
    assert answer.model == "some"


async def test_a_streamed_answer_is_the_whole_one(llmock: LLMock, mocked: ChatModel) -> None:
    """Text, end and usage agree, and the deltas make up the content."""
    llmock.reply(json.dumps(STORY), times=2)
    deltas: list[str] = []
    whole = await ask(mocked)
    streamed = await ask(mocked, on_text=deltas.append)
    assert (streamed.text, streamed.finish_reason) == (whole.text, whole.finish_reason)
    assert streamed.usage == whole.usage
    assert streamed.usage is not None
    assert "".join(deltas) == STORY["content"]
    assert [record.stream for record in llmock.requests] == [False, True]


@pytest.mark.parametrize("on_text", [None, ignore], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, ErrorCode.PROVIDER_BAD_RESPONSE),
        (401, ErrorCode.PROVIDER_AUTH),
        (403, ErrorCode.PROVIDER_AUTH),
        (404, ErrorCode.PROVIDER_AUTH),
        (408, ErrorCode.PROVIDER_UNAVAILABLE),
        (409, ErrorCode.PROVIDER_UNAVAILABLE),
        (429, ErrorCode.PROVIDER_RATE_LIMITED),
        (500, ErrorCode.PROVIDER_UNAVAILABLE),
        (503, ErrorCode.PROVIDER_UNAVAILABLE),
    ],
)
async def test_its_errors_lead_to_the_same_rows_as_ours(
    llmock: LLMock,
    mocked: ChatModel,
    status: int,
    code: ErrorCode,
    on_text: Callable[[str], None] | None,
) -> None:
    """One request each: the client below never tries again by itself."""
    llmock.fail(status)
    fault = await fault_of(mocked, on_text=on_text)
    assert (fault.kind, fault.status) == (FaultKind.HTTP, status)
    assert classification.of_fault(fault).code is code
    assert [record.status for record in llmock.requests] == [status]


async def test_its_retry_after_is_read(llmock: LLMock, mocked: ChatModel) -> None:
    """In seconds, as the header has it."""
    llmock.rate_limit(retry_after=3)
    assert (await fault_of(mocked)).retry_after_s == 3.0


async def test_an_empty_account_and_a_long_prompt_have_their_codes(
    llmock: LLMock, mocked: ChatModel
) -> None:
    """The provider's code decides, not the status it comes with."""
    llmock.fail(429, code="insufficient_quota").context_overflow()
    codes = [classification.of_fault(await fault_of(mocked)).code for _ in range(2)]
    assert codes == [ErrorCode.PROVIDER_QUOTA, ErrorCode.CONTEXT_TOO_LONG]


async def test_its_quota_headers_arrive(llmock: LLMock, mocked: ChatModel) -> None:
    """The gate reads them; a refused call says how long to wait."""
    llmock.limits(rpm=1)
    answer = await ask(mocked)
    assert answer.headers["x-ratelimit-limit-requests"] == "1"
    assert answer.headers["x-ratelimit-remaining-requests"] == "0"
    refused = await fault_of(mocked)
    assert refused.status == 429
    assert refused.retry_after_s is not None
    assert 0 < refused.retry_after_s <= 60


def stall(llmock: LLMock, after_chunks: int) -> LLMock:
    """Fall silent for longer than we listen."""
    return llmock.stall(after_chunks=after_chunks, seconds=LONG_S)


@pytest.mark.parametrize(
    ("break_it", "kind", "listen_s"),
    [
        (LLMock.disconnect, FaultKind.CUT_STREAM, PATIENCE_S),
        (LLMock.truncate, FaultKind.CUT_STREAM, PATIENCE_S),
        (LLMock.corrupt, FaultKind.BAD_BODY, PATIENCE_S),
        (stall, FaultKind.TIMEOUT, SILENCE_S),
    ],
)
async def test_a_stream_it_breaks_is_no_answer(
    llmock: LLMock,
    mocked: ChatModel,
    break_it: Callable[..., LLMock],
    kind: FaultKind,
    listen_s: float,
) -> None:
    """Even where the stream ends cleanly and only the end of the story is missing."""
    llmock.reply(json.dumps(STORY))
    break_it(llmock, after_chunks=3)
    deltas: list[str] = []
    fault = await fault_of(mocked, listen_s, on_text=deltas.append)
    assert fault.kind is kind
    assert STORY["content"].startswith("".join(deltas))


async def test_a_slow_answer_is_a_time_out(llmock: LLMock, mocked: ChatModel) -> None:
    """And one that is slow to begin streaming as well."""
    llmock.delay(LONG_S).slow_first_token(LONG_S)
    for on_text in (None, ignore):
        fault = await fault_of(mocked, SILENCE_S, on_text=on_text)
        assert fault.kind is FaultKind.TIMEOUT


async def test_it_sees_a_cancelled_stream_end(llmock: LLMock, mocked: ChatModel) -> None:
    """The journal has the request as one that was not completed."""
    llmock.reply(STORY_OF_200_WORDS)
    stall(llmock, after_chunks=20)
    told = asyncio.Event()
    call = asyncio.create_task(ask(mocked, LONG_S, on_text=lambda _: told.set()))
    async with asyncio.timeout(PATIENCE_S):
        await told.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert in_use(mocked) == 0
    assert not llmock.last_request.completed


class Reader:
    """Reads along, as `story.progress` does."""

    published = False
    withheld = False

    def begin(self) -> None:
        """Have nothing to drop."""

    def text(self, delta: str) -> None:
        """Pass it on."""
        self.published = True


async def written(
    chat: ChatModel, feed: Reader | None = None, timeout_s: float = PATIENCE_S
) -> Step:
    """Let a generator make its tries, with the waits it asks for; return how that ended."""
    clock, progress = SystemClock(), Progress()
    generator = Generator(
        model=chat,
        chains=Chains((Candidate("some"),)),
        store=MemoryStore(60.0),
        prices=FlatPrices(),
        breakers=Breakers(BreakerPolicy()),
        gate=AdaptiveGate(10),
        retry=RetryPolicy(max_tries=4, base_s=0.1, chance=lambda: 1.0),
        options=GeneratorOptions(timeout_s=timeout_s),
        clock=clock,
    )
    deadline = clock.now() + 2 * PATIENCE_S
    while True:
        step = await generator.attempt(
            REQUEST, ID, "f", progress, deadline=deadline, stored=Stored(), feed=feed
        )
        if not isinstance(step, TryAgain):
            return step
        await asyncio.sleep(step.after_s)


TROUBLES: dict[str, Callable[[LLMock], LLMock]] = {
    "rate limit": lambda mock: mock.rate_limit(times=2, retry_after=1.0),
    # Two waits could be alike: the machine may stand still in the first.
    "outage": lambda mock: mock.fail(503, times=3),
    "both": lambda mock: mock.fail(500).rate_limit(retry_after=1.0),
}
# Before any text: once some is published, the next try does not stream, and for llmock a body
# without `stream` is another call.
BROKEN_STREAMS: dict[str, Callable[[LLMock], LLMock]] = {
    "truncated": lambda mock: mock.truncate(after_chunks=1),
    "dropped": lambda mock: mock.disconnect(after_chunks=1),
    "stalled": lambda mock: stall(mock, after_chunks=1),
}


@pytest.mark.parametrize(
    ("name", "streamed"),
    [*((name, False) for name in TROUBLES), *((name, True) for name in TROUBLES | BROKEN_STREAMS)],
)
async def test_its_verdict_on_our_tries_is_that_they_are_resilient(
    llmock: LLMock, mocked: ChatModel, name: str, *, streamed: bool
) -> None:
    """No storm, no call before Retry-After, growing waits, no half of a story taken for one."""
    (TROUBLES | BROKEN_STREAMS)[name](llmock).reply(STORY_OF_200_WORDS, times=None)
    # Longer than a machine stands still: the call after the stalled one is not to be given up.
    timeout_s = 5 * SILENCE_S if name == "stalled" else PATIENCE_S
    step = await written(mocked, Reader() if streamed else None, timeout_s)
    assert isinstance(step, Written)
    llmock.assert_resilient(strict=True)


@pytest.mark.parametrize("status", [400, 401, 404])
async def test_its_verdict_on_what_no_try_can_mend_is_that_we_leave_it(
    llmock: LLMock, mocked: ChatModel, status: int
) -> None:
    """One call, whatever the request then waits for."""
    llmock.fail(status, times=None)
    assert not isinstance(await written(mocked), Written)
    assert len(llmock.requests) == 1
    llmock.assert_resilient(strict=True)
