"""One request, a scripted model and a clock that a test moves: what tries are made of."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from jiraiya_events.adapters.store.memory import MemoryStore
from jiraiya_events.domain.codes import ErrorCode
from jiraiya_events.domain.errors import StoreUnavailable
from jiraiya_events.domain.identity import RequestIdentity
from jiraiya_events.domain.request import StoryRequested
from jiraiya_events.domain.story import Usage
from jiraiya_events.generation.breaker import BreakerPolicy
from jiraiya_events.generation.breakers import Breakers
from jiraiya_events.generation.candidates import Candidate, Chains
from jiraiya_events.generation.faults import CallFault, Fault, FaultKind
from jiraiya_events.generation.gate import AdaptiveGate
from jiraiya_events.generation.generator import Generator, GeneratorOptions
from jiraiya_events.generation.paid import ModelAnswer, PaidAnswer
from jiraiya_events.generation.ports import CallObserver
from jiraiya_events.generation.pricing import Rates
from jiraiya_events.generation.progress import Progress
from jiraiya_events.generation.prompt import AnswerForm, Prompt
from jiraiya_events.generation.result_store import Stored
from jiraiya_events.generation.retry_budget import RetryBudget
from jiraiya_events.generation.retry_policy import RetryPolicy
from jiraiya_events.generation.steps import AwaitSlot, AwaitStore, Step, UnderWay, Written

ID = RequestIdentity("/shop", "r-1")
REQUEST = StoryRequested(user_id="ann", keywords=["a fox"])
STORY = json.dumps({"title": "The Fox", "content": "word " * 200})
DOWN = Fault(FaultKind.HTTP, status=503)
CUT = Fault(FaultKind.DROPPED)
NO_KEY = Fault(FaultKind.HTTP, status=401)
START = 1_000.0
PORTS = ("spending", "cache", "moderation")


def answer(text: str = STORY, finish_reason: str | None = "stop", **more: Any) -> ModelAnswer:
    """Return an answer that passes unless told otherwise."""
    facts: dict[str, Any] = {
        "refusal": None,
        "usage": Usage(input_tokens=10, output_tokens=20),
        "model": "some-2026",
        "provider": "openai",
        **more,
    }
    return ModelAnswer(text=text, finish_reason=finish_reason, **facts)


def paid(text: str = STORY, attempt: int = 1, **more: Any) -> PaidAnswer:
    """Return a paid answer of the first attempt."""
    facts: dict[str, Any] = {"finish_reason": "stop", "refusal": None, "calls": 2, **more}
    return PaidAnswer(
        text=text,
        form=AnswerForm.JSON,
        model="some-2026",
        provider="openai",
        prompt_version="story.v0",
        attempt=attempt,
        usage=Usage(input_tokens=5),
        cost_pico_usd=7,
        **facts,
    )


Script = Fault | ModelAnswer | Callable[[], None] | None


@dataclass
class ScriptedModel:
    """Answers call by call; None hangs, the last entry repeats."""

    script: list[Script]
    calls: list[dict[str, Any]] = field(default_factory=list)
    called: asyncio.Event = field(default_factory=asyncio.Event)

    async def complete(self, prompt: Prompt, **wishes: Any) -> ModelAnswer:
        """Follow the script."""
        self.calls.append({"prompt": prompt, **wishes})
        self.called.set()
        entry = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if callable(entry):
            entry()
            entry = None
        if entry is None:
            await asyncio.Event().wait()
        if isinstance(entry, Fault):
            raise CallFault(entry)
        assert isinstance(entry, ModelAnswer)
        return entry


class Log(CallObserver):
    """Remembers how calls ended and what the store did."""

    def __init__(self) -> None:
        self.outcomes: list[str] = []
        self.store_failures: list[str] = []

    def call_finished(
        self,
        model: str,
        outcome: str,
        seconds: float,
        usage: Usage | None,
        cost: int | None,
    ) -> None:
        """Remember the outcome."""
        self.outcomes.append(outcome)

    def store_failed(self, operation: str, reason: str) -> None:
        """Remember the failure."""
        self.store_failures.append(f"{operation}: {reason}")


class BrokenStore(MemoryStore):
    """A store that cannot be written to."""

    async def save_answer(self, *_: Any, **__: Any) -> None:
        """Fail."""
        raise StoreUnavailable("gone")


class FlatPrices:
    """One pico-dollar a token in, two out; nothing is known of a model named `other`."""

    def cost_pico_usd(self, model: str, usage: Usage) -> int | None:
        """Return the cost."""
        return None if model == "other" else Rates(1, 1, 2).cost(usage)

    def upper_bound_pico_usd(self, model: str, tokens_in: int, tokens_out: int) -> int | None:
        """Return the most such a call costs."""
        return self.cost_pico_usd(model, Usage(input_tokens=tokens_in, output_tokens=tokens_out))


class Scene:
    """A generator, a record's progress and a clock that a test moves."""

    def __init__(self, *script: Script, store: MemoryStore | None = None, **options: Any) -> None:
        self.time = START
        self.model = ScriptedModel(list(script))
        self.store = store or MemoryStore(1e6, self)
        self.breakers = Breakers(options.pop("breaker", BreakerPolicy()))
        chain = options.pop("chain", (Candidate("some"),))
        ports = {name: options.pop(name) for name in PORTS if name in options}
        self.gate = AdaptiveGate(options.pop("ceiling", 100))
        tries, self.budget = options.pop("max_tries", 3), RetryBudget()
        self.breaker = self.breakers.of("some")
        self.log = Log()
        self.progress = Progress()
        self.generator = Generator(
            model=self.model,
            store=self.store,
            prices=FlatPrices(),
            breakers=self.breakers,
            chains=Chains(chain, (Candidate("other"),)),
            gate=self.gate,
            retry=RetryPolicy(max_tries=tries, chance=lambda: 1.0, budget=self.budget),
            options=GeneratorOptions(**options),
            clock=self,
            observer=self.log,
            **ports,
        )

    def now(self) -> float:
        """Return the scene's time."""
        return self.time

    async def attempt(self, **more: Any) -> Step:
        """Make one attempt."""
        stored = Stored(answer=more.pop("paid", None), busy=more.pop("busy", False))
        arguments: dict[str, Any] = {"deadline": START + 300, "stored": stored, **more}
        request = arguments.pop("request", REQUEST)
        identity = arguments.pop("identity", ID)
        progress = arguments.pop("progress", self.progress)
        return await self.generator.attempt(request, identity, "f", progress, **arguments)

    def open_breaker(self, code: ErrorCode = ErrorCode.PROVIDER_UNAVAILABLE) -> None:
        """Let one failure open the breaker."""
        permit = self.breaker.allow(self.time)
        assert permit is not None
        permit.failed(self.time, code, opens=True)


def code_of(step: Step) -> ErrorCode:
    """Return the code of a step that is no story."""
    assert not isinstance(step, Written | UnderWay | AwaitSlot | AwaitStore)
    return step.code
