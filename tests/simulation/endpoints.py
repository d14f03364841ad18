"""Endpoints of every temper, for simulations: pure, driven by the time they are given."""

import math
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tests.simulation.gate_world import Reply

REFUSAL_S = 0.001

Seconds = Callable[[random.Random, float], tuple[float, int]]
"""Draws how long a call that begins at an instant works, and in how many tokens it answers."""


def always(seconds: float) -> Seconds:
    """Let every call take as long."""
    return lambda _dice, _now: (seconds, 270)


def lognormal(mean: float, sigma: float) -> Seconds:
    """Let calls spread as they do in the field."""
    mu = math.log(mean) - sigma**2 / 2
    return lambda dice, _now: (dice.lognormvariate(mu, sigma), 270)


def short_and_long(sigma: float = 0.3) -> Seconds:
    """Let stories of 270 and of 1350 tokens take 0.3 s and then 2 ms per token."""

    def draw(dice: random.Random, _now: float) -> tuple[float, int]:
        tokens = dice.choice([270, 1350])
        return (0.3 + tokens * 0.002) * dice.lognormvariate(0, sigma), tokens

    return draw


def slowing(before: float, after: float, from_: float) -> Seconds:
    """Let calls take longer from an instant on, however many there are."""
    quick, slow = lognormal(before, 0.5), lognormal(after, 0.5)
    return lambda dice, now: (slow if now >= from_ else quick)(dice, now)


@dataclass
class Admitting:
    """Admits `limit(now)` calls at once, and refuses the rest."""

    seconds: Seconds
    limit: Callable[[float], int] = lambda _: 40
    retry_after_s: float | None = None
    with_headers: bool = False

    def call(self, now: float, at_work: int, dice: random.Random) -> Reply:
        limit = self.limit(now)
        if at_work >= limit:
            return Reply(REFUSAL_S, refused=True, retry_after_s=self.retry_after_s)
        seconds, tokens = self.seconds(dice, now)
        return Reply(seconds, tokens=tokens, headers=self._headers(limit, at_work))

    def _headers(self, limit: int, at_work: int) -> dict[str, str]:
        if not self.with_headers:
            return {}
        return {
            "x-ratelimit-limit-requests": str(limit),
            "x-ratelimit-remaining-requests": str(limit - at_work - 1),
            "x-ratelimit-reset-requests": "1s",
        }


@dataclass
class TokenBucket:
    """Admits `per_s` calls a second on average and `burst` at once."""

    seconds: Seconds
    per_s: float = 20.0
    burst: int = 20
    retry_after: Callable[[float], float | None] = lambda needed_s: float(math.ceil(needed_s))
    with_headers: bool = False
    left: float = field(default=math.inf)
    at: float = 0.0

    def call(self, now: float, at_work: int, dice: random.Random) -> Reply:
        self.left = min(float(self.burst), self.left + (now - self.at) * self.per_s)
        self.at = now
        if self.left < 1:
            needed_s = (1 - self.left) / self.per_s
            return Reply(REFUSAL_S, refused=True, retry_after_s=self.retry_after(needed_s))
        self.left -= 1
        seconds, tokens = self.seconds(dice, now)
        return Reply(seconds, tokens=tokens, headers=self._headers())

    def _headers(self) -> dict[str, str]:
        if not self.with_headers:
            return {}
        return {
            "x-ratelimit-limit-requests": str(self.burst),
            "x-ratelimit-remaining-requests": str(int(self.left)),
            "x-ratelimit-reset-requests": f"{(self.burst - self.left) / self.per_s * 1000:.0f}ms",
        }


@dataclass
class Queueing:
    """Refuses nobody: works on `side_by_side(now)` calls, and on the others in turn."""

    seconds: Seconds
    side_by_side: Callable[[float], int] = lambda _: 20
    free_at: list[float] = field(default_factory=list)

    def call(self, now: float, at_work: int, dice: random.Random) -> Reply:
        self.free_at = sorted(at for at in self.free_at if at > now)
        seconds, tokens = self.seconds(dice, now)
        ahead = len(self.free_at) - self.side_by_side(now)
        start = now if ahead < 0 else self.free_at[ahead]
        self.free_at.append(start + seconds)
        return Reply(start + seconds - now, tokens=tokens)


def steps(levels: Iterable[tuple[float, int]], epoch: float) -> Callable[[float], int]:
    """Return a capacity that is the last level begun by an instant, in seconds after `epoch`."""
    ordered = tuple(levels)
    return lambda now: [number for at, number in ordered if at <= now - epoch][-1]


@dataclass
class Refusing:
    """Refuses every call in an interval of seconds after `epoch`, without a word for how long."""

    beside: Admitting
    first: float
    last: float
    epoch: float

    def call(self, now: float, at_work: int, dice: random.Random) -> Reply:
        if self.first <= now - self.epoch < self.last:
            return Reply(REFUSAL_S, refused=True)
        return self.beside.call(now, at_work, dice)


@dataclass
class Moody:
    """Refuses a share of the calls by chance, as an endpoint does that others use as well."""

    beside: Admitting
    share: float

    def call(self, now: float, at_work: int, dice: random.Random) -> Reply:
        if dice.random() < self.share:
            return Reply(REFUSAL_S, refused=True)
        return self.beside.call(now, at_work, dice)
