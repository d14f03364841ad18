"""Which call meets which fault, and how long it takes: scripted or seeded, never by luck."""

import math
import random
from collections import deque
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from jiraiya_events.testing.faults import Fault

Seconds = Annotated[float, Field(ge=0, le=3600)]
Share = Annotated[float, Field(ge=0, le=1)]


class Latency(BaseModel):
    """Time before the answer; lognormal has `seconds` as its *mean* and `sigma` as its spread."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["fixed", "lognormal"] = "fixed"
    seconds: Seconds = 0.0
    sigma: Annotated[float, Field(ge=0, le=3)] = 0.5
    longest: Seconds = 3600.0

    def draw(self, dice: random.Random) -> float:
        """Return the seconds of one call."""
        if self.kind == "fixed" or self.seconds == 0:
            return self.seconds
        # The mean of a lognormal is exp(mu + sigma² / 2).
        mu = math.log(self.seconds) - self.sigma**2 / 2
        return min(dice.lognormvariate(mu, self.sigma), self.longest)


class FaultPlan(BaseModel):
    """The whole behaviour of the endpoint; `POST /_control` changes the fields it names.

    A call takes its fault from the first of: the script of its marker, the script of all calls,
    a throw of the dice, `default`. Scripts are used up from the front.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    latency: Latency = Latency()
    latency_by_key: dict[str, Seconds] = Field(default_factory=dict)
    admission_limit: int | None = Field(default=None, ge=0, description="429 over so many.")
    retry_after_s: Seconds = 1.0
    script: tuple[Fault, ...] = ()
    script_by_key: dict[str, tuple[Fault, ...]] = Field(default_factory=dict)
    probability: dict[Fault, Share] = Field(default_factory=dict)
    default: Fault = Fault.OK
    words: int | None = Field(default=None, ge=1, description="Else as long as was asked for.")
    hold: bool = Field(default=False, description="Every call waits until this is false again.")
    seed: int = 1
    moderation_script: tuple[Fault, ...] = Field(
        default=(), description="What happens to calls of `/v1/moderations`, in order; then `ok`."
    )
    flagged_words: tuple[str, ...] = Field(
        default=(), description="A text with one of them in it is flagged."
    )
    moderation_scores: dict[str, Share] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _shares_fit(self) -> "FaultPlan":
        if sum(self.probability.values()) > 1:
            msg = "the probabilities add up to more than 1"
            raise ValueError(msg)
        return self


class FaultPicker:
    """Hands out faults and latencies as one plan says, call by call."""

    def __init__(self, plan: FaultPlan) -> None:
        self.plan = plan
        self._dice = random.Random(plan.seed)  # noqa: S311 - a rehearsal, nothing secret
        self._script = deque(plan.script)
        self._by_key = {key: deque(script) for key, script in plan.script_by_key.items()}
        self._moderation = deque(plan.moderation_script)

    def fault(self, key: str | None) -> Fault:
        """Return what happens to the next call, whose marker is `key`."""
        own = self._by_key.get(key) if key is not None else None
        if own:
            return own.popleft()
        if self._script:
            return self._script.popleft()
        return self._thrown() if self.plan.probability else self.plan.default

    def moderation_fault(self) -> Fault:
        """Return what happens to the next call of `/v1/moderations`."""
        return self._moderation.popleft() if self._moderation else Fault.OK

    def latency(self, key: str | None) -> float:
        """Return the seconds the next call takes."""
        if key is not None and key in self.plan.latency_by_key:
            return self.plan.latency_by_key[key]
        return self.plan.latency.draw(self._dice)

    def _thrown(self) -> Fault:
        thrown = self._dice.random()
        for fault, share in self.plan.probability.items():
            thrown -= share
            if thrown < 0:
                return fault
        return self.plan.default
