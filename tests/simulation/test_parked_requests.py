"""Handler, engine, gate, breaker and both watches on a virtual clock: nobody is parked in vain."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from jiraiya_events.adapters.store.memory import MemoryStore
from jiraiya_events.bootstrap.breaker_watch import BreakerWatch
from jiraiya_events.bootstrap.gate_watch import GateWatch
from jiraiya_events.domain.story import Usage
from jiraiya_events.generation.candidates import Candidate
from jiraiya_events.generation.faults import CallFault, Fault, FaultKind
from jiraiya_events.generation.paid import ModelAnswer
from jiraiya_events.generation.ports import CallObserver
from jiraiya_events.generation.prompt import Prompt
from jiraiya_events.generation.result_store import Stored
from jiraiya_events.handlers.places import slot_place
from tests.unit.engine.rig import HERE, Rig, virtual
from tests.unit.handlers.replicas import ALONE, CLOCK, DOWN, STORY, Replica, now

BOTH = (Candidate("some", "1"), Candidate("other", "2"))

Behave = Callable[[str], Fault | None]


class Model:
    """Answers or fails after a fifth of a second, as it is told."""

    def __init__(self, behave: Behave) -> None:
        self._behave = behave
        self.calls = Counter[str]()

    async def complete(self, prompt: Prompt, *, model: str, **_: Any) -> ModelAnswer:
        """Behave."""
        self.calls[model] += 1
        fault = self._behave(model)
        await asyncio.sleep(0.2)
        if fault:
            raise CallFault(fault)
        usage = Usage(input_tokens=10, output_tokens=20)
        return ModelAnswer(STORY, "stop", None, usage, model, "openai")


class RemoteStore(MemoryStore):
    """A store to which every way is some milliseconds long, and never the same; counts them."""

    def __init__(self, longest_s: float) -> None:
        super().__init__(1e6, CLOCK)
        self._longest_s = longest_s
        self.looks = 0

    async def look_up(self, *given: Any, **more: Any) -> Stored:
        """Look up, late."""
        self.looks += 1
        await asyncio.sleep(self._longest_s * random.random())
        return await super().look_up(*given, **more)

    async def release(self, *given: Any, **more: Any) -> None:
        """Release, late."""
        await asyncio.sleep(self._longest_s * random.random())
        await super().release(*given, **more)


class Scene:
    """A replica in its engine, requests that arrive by chance, and how they ended."""

    def __init__(
        self, behave: Behave, chain: tuple[Candidate, ...] = ALONE, *, store_s: float = 0.006
    ) -> None:
        random.seed(1)
        self.model = Model(behave)
        self.store = RemoteStore(store_s)
        replica = Replica(self.store, self.model, chain)
        self.rig = Rig(replica.handler.handle, in_flight=100)
        unpark = self.rig.engine.unpark
        heads = tuple(candidate.name for candidate in chain[:1])
        breakers, gate = replica.breakers, replica.gate
        self._watches = (
            BreakerWatch(
                breakers, CLOCK, CallObserver(), unpark, places=lambda _: heads, queue=slot_place
            ),
            GateWatch(gate, CLOCK, unpark, place=slot_place),
        )

    async def run(self, *, seconds: float, per_s: float, timeout_s: float) -> Counter[str]:
        """Let requests arrive for so long; return how all of them ended."""
        await self.rig.start()
        arrived, until = 0, now() + seconds
        while now() < until:
            arrived += 1
            wish = {"request_id": f"r-{arrived}", "user_id": "ann", "keywords": ["fox"],
                    "timeout_ms": round(timeout_s * 1000)}  # fmt: skip
            at_ms = round(CLOCK.now() * 1000)
            self.rig.log.append(
                HERE, b"%d" % arrived, json.dumps(wish).encode(), timestamp_ms=at_ms
            )
            await asyncio.sleep(random.expovariate(per_s))
        await asyncio.sleep(timeout_s + 10)
        await self.rig.stop(0)
        for watch in self._watches:
            watch.stop()
        events = [json.loads(v or b"") for sent, _ in self.rig.transactions for v in sent]
        ends = Counter[str](
            event["error"]["code"] if "error" in event else event["source"]
            for event in events
            if "error" in event or "story" in event
        )
        assert ends.total() == arrived
        return ends


def refusing(retry_after_s: float | None) -> Behave:
    """Return a main model that limits every call from the tenth second on."""
    limited = Fault(FaultKind.HTTP, 429, retry_after_s=retry_after_s)
    return lambda model: limited if model == "some" and now() > 10 else None


@pytest.mark.parametrize("retry_after_s", [None, 15.0, 120.0])
@virtual
async def test_a_provider_that_refuses_for_long_is_what_ended_who_waited_for_it(
    retry_after_s: float | None,
) -> None:
    """Whether they were parked, on their way there, or had their turn."""
    ends = await Scene(refusing(retry_after_s)).run(seconds=20, per_s=15, timeout_s=30)
    assert set(ends) == {"model", "provider_rate_limited"}


@pytest.mark.parametrize("retry_after_s", [None, 15.0, 120.0])
@virtual
async def test_who_cannot_wait_out_a_refusal_reaches_the_fallback(
    retry_after_s: float | None,
) -> None:
    """Only who has less than two seconds left at the next hold has no time for another model."""
    scene = Scene(refusing(retry_after_s), BOTH)
    ends = await scene.run(seconds=20, per_s=10, timeout_s=30)
    waited = ends.total() - ends["model"]
    assert ends["fallback"] > 0.75 * waited
    assert scene.store.looks < 8 * ends.total(), "waking is no busy loop"


@virtual
async def test_a_breaker_that_closes_leaves_nobody_parked() -> None:
    """Neither who was parked, nor who had decided to and was still speaking to the store."""
    scene = Scene(lambda _: DOWN if now() < 20 else None, store_s=0.2)
    ends = await scene.run(seconds=40, per_s=20, timeout_s=90)
    assert set(ends) == {"model"}
