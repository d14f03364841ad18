"""A gate, a backlog of requests and an endpoint, in discrete events: no loop, no clock, seeds.

A backlog is there from the start, and `endless`: who is through is followed by another; more may
come `arrivals_per_s`. Each has a turn that begins a few milliseconds after it is made ready (the
engine's and the store's time), asks the gate, and is then called, parked (first come first served),
or waits as long as the gate says. What an endpoint refuses has its next turn at once.
"""

import heapq
import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol

from jiraiya_events.generation.gate import AdaptiveGate

MODEL = "m"
EPOCH = 1_800_000_000.0


@dataclass(frozen=True, slots=True)
class Reply:
    """How an endpoint answers: after `seconds`, refused or not, in so many tokens."""

    seconds: float
    refused: bool = False
    retry_after_s: float | None = None
    tokens: int | None = 270
    headers: Mapping[str, str] = field(default_factory=dict)


class Endpoint(Protocol):
    """What takes calls; told when each arrives, with how many it still works on."""

    def call(self, now: float, at_work: int, dice: random.Random) -> Reply:
        """Decide about a call that has just arrived; `at_work` does not count it."""
        ...


@dataclass(slots=True)
class Request:
    """One request and what became of it."""

    came_at: float
    waited: bool = False
    times_parked: int = 0
    wakes_before: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """A call that ended: when, and how long and how often its request had waited before."""

    at: float
    refused: bool
    came_at: float
    waited_s: float
    times_parked: int


class World:
    """Runs until the time is up; `seen` tells what happened."""

    def __init__(  # noqa: PLR0913 - a world has many knobs
        self,
        endpoint: Endpoint,
        *,
        most: int = 100,
        seed: int = 1,
        backlog: int = 300,
        endless: bool = True,
        arrivals_per_s: float = 0.0,
        network_s: float = 0.002,
        turn_s: float = 0.005,
    ) -> None:
        self.now = EPOCH
        self.gate = AdaptiveGate(most)
        self.gate.freed = self._freed
        self.gate.due = self._due
        self.seen: list[Seen] = []
        self.at_work = 0
        self._endpoint = endpoint
        self._dice = random.Random(seed)
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._parked: deque[Request] = deque()
        self._wakes = self._missed = 0
        self._timer_at: float | None = None
        self._endless = endless
        self._network_s, self._turn_s = network_s, turn_s
        for _ in range(backlog):
            self._new()
        if arrivals_per_s:
            self._arrive(arrivals_per_s)

    def run(self, seconds: float) -> None:
        """Let so much time pass."""
        until = self.now + seconds
        while self._events and self._events[0][0] <= until:
            self.now, _, do = heapq.heappop(self._events)
            do()
        self.now = until

    def rate(self, first: float, last: float) -> float:
        """Return answers per second between two instants, in seconds since the start."""
        return self._number(first, last, refused=False) / (last - first)

    def refused_share(self, first: float, last: float) -> float:
        """Return refused calls ÷ calls between two instants."""
        refused = self._number(first, last, refused=True)
        return refused / max(1, refused + self._number(first, last, refused=False))

    @property
    def parked(self) -> int:
        """How many wait for a slot now."""
        return len(self._parked)

    @property
    def limit(self) -> int:
        """The limit now."""
        return self.gate.statistics(self.now)[0].limit

    def _number(self, first: float, last: float, *, refused: bool) -> int:
        return sum(
            1 for one in self.seen if one.refused is refused and first <= one.at - EPOCH < last
        )

    def _at(self, delay: float, do: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self.now + delay, next(self._order), do))

    def _new(self) -> None:
        self._ready(Request(self.now))

    def _arrive(self, per_s: float) -> None:
        self._new()
        self._at(self._dice.expovariate(per_s), lambda: self._arrive(per_s))

    def _ready(self, request: Request, after: float = 0.0) -> None:
        # The engine and the store take a little time, and never the same.
        turn_s = self._turn_s * (0.5 + self._dice.random())
        self._at(after + turn_s, lambda: self._turn(request))

    def _turn(self, request: Request) -> None:
        request.wakes_before = self._wakes
        wait_s = self.gate.admit(MODEL, self.now, waited=request.waited)
        request.waited = False
        if wait_s is None:
            # Between the answer of the gate and the parking lies the way back to the engine.
            self._at(self._turn_s * self._dice.random(), lambda: self._park(request))
        elif wait_s > 0:
            self._ready(request, wait_s)
        else:
            self._send(request)

    def _park(self, request: Request) -> None:
        if self._missed > request.wakes_before:
            request.waited = True
            self._ready(request)
            return
        request.times_parked += 1
        self._parked.append(request)

    def _send(self, request: Request) -> None:
        sent_at = self.now
        self._at(self._network_s / 2, lambda: self._at_endpoint(request, sent_at))

    def _at_endpoint(self, request: Request, sent_at: float) -> None:
        reply = self._endpoint.call(self.now, self.at_work, self._dice)
        if not reply.refused:
            self.at_work += 1
        self._at(reply.seconds, lambda: self._replied(request, reply, sent_at))

    def _replied(self, request: Request, reply: Reply, sent_at: float) -> None:
        if not reply.refused:
            self.at_work -= 1
        self._at(self._network_s / 2, lambda: self._ended(request, reply, sent_at))

    def _ended(self, request: Request, reply: Reply, sent_at: float) -> None:
        gate, now = self.gate, self.now
        if reply.refused:
            gate.limited(MODEL, now, reply.retry_after_s)
        else:
            gate.accepted(
                MODEL,
                now,
                seconds=now - sent_at,
                output_tokens=reply.tokens,
                headers=reply.headers,
            )
        gate.leave(MODEL, now)
        waited_s = sent_at - request.came_at
        self.seen.append(Seen(now, reply.refused, request.came_at, waited_s, request.times_parked))
        if reply.refused:
            self._ready(request)
        elif self._endless:
            self._new()

    def _freed(self, model: str, number: int) -> int:
        assert model == MODEL
        woken = min(number, len(self._parked))
        for _ in range(woken):
            request = self._parked.popleft()
            request.waited = True
            self._ready(request)
        self._wakes += 1
        if woken < number:
            self._missed = self._wakes
        return woken

    def _due(self, at: float) -> None:
        if self._timer_at is None or at < self._timer_at or self._timer_at < self.now:
            self._timer_at = at
            self._at(max(0.0, at - self.now), self._tick)

    def _tick(self) -> None:
        self._timer_at = None
        self.gate.tick(self.now)
