"""One record through the whole handler, with a model that always has a story; and the judge."""

import json
from functools import cache
from typing import Any

from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.producer.message_accumulator import BatchBuilder
from jsonschema import Draft202012Validator, FormatChecker

from jiraiya_events.adapters.kafka.undecodable import AnyNameBatch, read_any_header_name
from jiraiya_events.adapters.store.memory import MemoryStore
from jiraiya_events.adapters.telemetry.untraced import Untraced
from jiraiya_events.contract.credentials import is_credential
from jiraiya_events.contract.event_types import EventType
from jiraiya_events.contract.schemas import event_schema
from jiraiya_events.contract.topics import Topics
from jiraiya_events.contract.wire_headers import dead_letter_headers_schema, outgoing_headers
from jiraiya_events.domain.codes import POLICIES, ErrorCode
from jiraiya_events.domain.story import Usage
from jiraiya_events.engine.records import Headers, Output, Record
from jiraiya_events.engine.verdicts import Done, Work
from jiraiya_events.generation.backlog import Backlog
from jiraiya_events.generation.breaker import BreakerPolicy
from jiraiya_events.generation.breakers import Breakers
from jiraiya_events.generation.candidates import Candidate, Chains
from jiraiya_events.generation.gate import AdaptiveGate
from jiraiya_events.generation.generator import Generator, GeneratorOptions
from jiraiya_events.generation.paid import ModelAnswer
from jiraiya_events.generation.ports import CallObserver
from jiraiya_events.generation.prompt import Prompt
from jiraiya_events.generation.retry_policy import RetryPolicy
from jiraiya_events.handlers.admission import Memory
from jiraiya_events.handlers.cancellations import Cancellations
from jiraiya_events.handlers.opening import Opening
from jiraiya_events.handlers.rules import Rules
from jiraiya_events.handlers.story_handler import StoryHandler
from tests.poison.corpus import PUBLISHED_MS

TOPICS = Topics()
WHERE = TopicPartition("out", 0)
ANSWER = json.dumps({"title": "The Fox", "content": "word " * 400})
"""Long enough for a long story and short enough for a short one."""


class Clock:
    """Ten seconds after the usual record was published."""

    def now(self) -> float:
        """Return seconds since the epoch."""
        return PUBLISHED_MS / 1000 + 10


class Storyteller:
    """A model that never fails."""

    async def complete(self, prompt: Prompt, **wishes: Any) -> ModelAnswer:
        """Tell the one story there is."""
        return ModelAnswer(
            text=ANSWER,
            finish_reason="stop",
            refusal=None,
            usage=Usage(input_tokens=10, output_tokens=20),
            model="m-1",
            provider="openai",
        )


class NoPrices:
    """Nothing is known of prices."""

    def cost_pico_usd(self, model: str, usage: Usage) -> int | None:
        """Return the cost."""
        return None

    def upper_bound_pico_usd(self, model: str, tokens_in: int, tokens_out: int) -> int | None:
        """Return the most such a call costs."""
        return None


def new_handler() -> StoryHandler:
    """Return a handler with an empty store."""
    clock = Clock()
    store = MemoryStore(1e6, clock)
    generator = Generator(
        model=Storyteller(),
        store=store,
        prices=NoPrices(),
        breakers=Breakers(BreakerPolicy()),
        chains=Chains((Candidate("m-1"),)),
        gate=AdaptiveGate(100),
        retry=RetryPolicy(),
        options=GeneratorOptions(),
        clock=clock,
        observer=CallObserver(),
    )
    rules = Rules(TOPICS, "m-1", frozenset({"m-1"}), "9.9.9")
    memory = Memory(store, CallObserver(), Backlog(CallObserver()))
    opening = Opening(memory, clock, rules, Cancellations())
    return StoryHandler(generator, memory, Untraced(), clock, rules, opening)


async def ending_of(record: Record) -> str:
    """Give a record its one turn; return its code or `story`. Raises AssertionError."""
    verdict = await new_handler().handle(Work(record, 0.0))
    assert isinstance(verdict, Done), "there is nothing to wait for"
    return judge(record, list(verdict.outputs))


def judge(record: Record, outputs: list[Output]) -> str:
    """Check every promise about a record's outputs; return its code or `story`."""
    event, *letters = outputs
    assert event.value is not None
    assert event.key == record.key
    body = json.loads(event.value)
    failed = event.topic == TOPICS.failed
    kind = EventType.FAILED if failed else EventType.GENERATED
    assert event.topic in {TOPICS.failed, TOPICS.generated}
    _validator(kind).validate(body)
    texts = {name: (value or b"").decode() for name, value in event.headers}
    assert len(texts) == len(event.headers), "each header once"
    _header_validator(kind).validate(texts)
    assert texts["ce_sequence"] == f"{record.offset:020d}"
    assert "".join(texts).encode(), "all names are text"
    for output in outputs:
        assert over_the_wire(output) == tuple(output.headers)
    code = body["error"]["code"] if failed else "story"
    dead = failed and (POLICIES[ErrorCode(code)].dead_letter or body["attempt"] > 1)
    assert len(letters) == dead
    for letter in letters:
        _judge_letter(record, letter, code)
    return str(code)


def _judge_letter(record: Record, letter: Output, code: str) -> None:
    assert letter.topic == TOPICS.dlq
    assert (letter.key, letter.value) == (record.key, record.value)
    kept = [pair for pair in letter.headers if not pair[0].lower().startswith("x-dlq-")]
    assert kept == [
        (name, value)
        for name, value in record.headers
        if not name.lower().startswith("x-dlq-") and not is_credential(name)
    ]
    ours = [pair for pair in letter.headers if pair[0].lower().startswith("x-dlq-")]
    texts = {name: (value or b"").decode() for name, value in ours}
    assert len(texts) == len(ours)
    Draft202012Validator(dead_letter_headers_schema()).validate(texts)
    assert texts["x-dlq-error-code"] == code
    assert texts["x-dlq-offset"] == str(record.offset)
    assert texts["x-dlq-timestamp"] == str(record.timestamp_ms)


def over_the_wire(output: Output) -> Headers:
    """Return an output's headers as a consumer reads them, all other bytes having arrived too."""
    read_any_header_name()
    batch = BatchBuilder(1 << 30, 0)
    try:
        batch.append(timestamp=1, key=output.key, value=output.value, headers=list(output.headers))
    except UnicodeEncodeError:
        batch = AnyNameBatch(transactional=False)
        batch.append(timestamp=1, key=output.key, value=output.value, headers=output.headers)
    data = fetcher.MemoryRecords(bytes(batch._build()))
    (read,) = fetcher.PartitionRecords(WHERE, data, [], 0, None, None, True, 1)
    assert (read.key, read.value) == (output.key, output.value)
    headers: Headers = read.headers
    return headers


@cache
def _validator(kind: EventType) -> Draft202012Validator:
    return Draft202012Validator(event_schema(kind), format_checker=FormatChecker())


@cache
def _header_validator(kind: EventType) -> Draft202012Validator:
    return Draft202012Validator(outgoing_headers(kind), format_checker=FormatChecker())
