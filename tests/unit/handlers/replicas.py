"""Replicas over one store: handlers with everything real but the model, in virtual time."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from structlog.contextvars import get_contextvars

from jiraiya_events.adapters.store.memory import MemoryStore
from jiraiya_events.adapters.telemetry.untraced import Untraced
from jiraiya_events.contract.envelope import read_envelope
from jiraiya_events.contract.topics import Topics
from jiraiya_events.domain.errors import StoreUnavailable
from jiraiya_events.domain.identity import RequestIdentity
from jiraiya_events.domain.story import Usage
from jiraiya_events.engine.records import Record
from jiraiya_events.engine.verdicts import Done, Retry, Work
from jiraiya_events.generation.backlog import Backlog
from jiraiya_events.generation.breaker import BreakerPolicy
from jiraiya_events.generation.breakers import Breakers
from jiraiya_events.generation.candidates import Candidate, Chains
from jiraiya_events.generation.faults import CallFault, Fault, FaultKind
from jiraiya_events.generation.gate import AdaptiveGate
from jiraiya_events.generation.generator import Generator, GeneratorOptions
from jiraiya_events.generation.leases import LEASE_S
from jiraiya_events.generation.paid import ModelAnswer
from jiraiya_events.generation.ports import CallObserver, ModelPort
from jiraiya_events.generation.pricing import Rates
from jiraiya_events.generation.prompt import Prompt
from jiraiya_events.generation.result_store import Lease
from jiraiya_events.generation.retry_policy import RetryPolicy
from jiraiya_events.generation.spending import Spending
from jiraiya_events.handlers.admission import Memory, fingerprint_of
from jiraiya_events.handlers.cancellations import Cancellations
from jiraiya_events.handlers.opening import Opening
from jiraiya_events.handlers.rules import Rules
from jiraiya_events.handlers.story_handler import StoryHandler
from jiraiya_events.testing.virtual_time import LoopClock

CLOCK = LoopClock()
STORY = json.dumps({"title": "The Fox", "content": "word " * 200})
DOWN = Fault(FaultKind.HTTP, status=503)
NO_STORY = "no story at all"
ALONE = (Candidate("some"),)


def now() -> float:
    """Return virtual seconds since the test began."""
    return asyncio.get_running_loop().time()


@dataclass
class SlowModel:
    """Every call takes `seconds`; the script says what they end with, the last repeats."""

    seconds: float
    script: list[str | Fault] = field(default_factory=lambda: [STORY])
    called_at: list[float] = field(default_factory=list)

    async def complete(self, prompt: Prompt, **wishes: Any) -> ModelAnswer:
        """Think, then follow the script."""
        self.called_at.append(now())
        entry = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        await asyncio.sleep(self.seconds)
        if isinstance(entry, Fault):
            raise CallFault(entry)
        usage = Usage(input_tokens=10, output_tokens=20)
        return ModelAnswer(entry, "stop", None, usage, "some", "openai")


class FailingStore(MemoryStore):
    """A store of which some operations fail until it is `mended`."""

    def __init__(self, *broken: str) -> None:
        super().__init__(1e6, CLOCK)
        self.mended = False
        for operation in broken:
            setattr(self, operation, partial(self._try, getattr(self, operation)))

    async def _try(self, operation: Callable[..., Awaitable[Any]], *given: Any, **more: Any) -> Any:
        if not self.mended:
            raise StoreUnavailable("down")
        return await operation(*given, **more)


class Notes(CallObserver):
    """Remembers which operations of the store failed, and whose log lines would say so."""

    def __init__(self) -> None:
        self.failed: list[str] = []
        self.told_by: set[str] = set()

    def store_failed(self, operation: str, reason: str) -> None:
        """Remember it."""
        self.failed.append(operation)
        self.told_by.add(get_contextvars().get("request_id", "nobody"))


class Flat:
    """A pico-dollar a token."""

    def cost_pico_usd(self, model: str, usage: Usage) -> int | None:
        """Return the cost."""
        return Rates(1, 1, 1).cost(usage)

    def upper_bound_pico_usd(self, model: str, tokens_in: int, tokens_out: int) -> int | None:
        """Return the most such a call costs."""
        return tokens_in + tokens_out


class Replica:
    """A handler as one process has it; `serve` does with a record what its lane would do."""

    def __init__(
        self,
        store: MemoryStore,
        model: ModelPort,
        chain: tuple[Candidate, ...] = ALONE,
        *,
        spending: Spending | None = None,
    ) -> None:
        self.notes = Notes()
        self.verdicts: list[Retry] = []
        self.backlog = Backlog(self.notes)
        self.breakers = Breakers(BreakerPolicy())
        self.gate = AdaptiveGate(100)
        generator = Generator(
            model=model,
            store=store,
            backlog=self.backlog,
            spending=spending,
            prices=Flat(),
            breakers=self.breakers,
            chains=Chains(chain),
            gate=self.gate,
            retry=RetryPolicy(chance=lambda: 1.0),
            options=GeneratorOptions(),
            clock=CLOCK,
            observer=self.notes,
        )
        rules = Rules(Topics(), "some", frozenset({"some"}), "9.9.9")
        memory = Memory(store, self.notes, self.backlog)
        self.cancellations = Cancellations()
        opening = Opening(memory, CLOCK, rules, self.cancellations)
        self.handler = StoryHandler(generator, memory, Untraced(), CLOCK, rules, opening)

    async def serve(self, record: Record) -> tuple[str, dict[str, Any]]:
        """Return the terminal event's id and payload."""
        work = Work(record, 0.0)
        while True:
            verdict = await self.handler.handle(work)
            if isinstance(verdict, Done):
                event = verdict.outputs[0]
                return str(dict(event.headers)["ce_id"]), json.loads(event.value or b"")
            assert isinstance(verdict, Retry)
            self.verdicts.append(verdict)
            await asyncio.sleep(verdict.after_s)


def shared() -> MemoryStore:
    """Return a store that replicas may share."""
    return MemoryStore(1e6, CLOCK)


def record(offset: int = 7, **wishes: Any) -> Record:
    """Return a request that was published just now."""
    wish = {"request_id": "r-1", "user_id": "ann", "keywords": ["fox"], **wishes}
    published_ms = round(CLOCK.now() * 1000)
    return Record("story.requested", 2, offset, published_ms, None, json.dumps(wish).encode(), ())


ID = RequestIdentity("/unknown", "r-1")


def print_() -> str:
    """Return the request's fingerprint."""
    of = record()
    return fingerprint_of(read_envelope(of, max_event_bytes=10_000), of.value)


async def leave_a_lease(store: MemoryStore) -> None:
    """Claim the request's lease as an owner that crashed afterwards."""
    crashed = Lease(ID, "crashed", LEASE_S)
    assert not (await store.look_up(ID, print_(), "ann", crashed)).busy
