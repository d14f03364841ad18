"""The model goes away and comes back while requests wait: what the outage costs afterwards."""

import asyncio
import time
from dataclasses import dataclass

from bench.broker import Topics
from bench.judging import Judge, judge
from bench.load import load, waiting
from bench.measurement import Goal, Measurement
from bench.outcomes import after, rate
from bench.running import calls, control, endpoint, service

WAITING = 3_000
"""Twice what a partition may have accepted, so that the outage pauses it."""
AT_ONCE = 25
LATENCY_S = 0.25
CONSECUTIVE_FAILURES, TRIALS, OPEN_S = 10, 3, 15.0
TRIAL_ROUNDS = 2
LOOK_S = 0.02


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds measured before and after an outage, and left out at the start."""

    settle_s: float
    before_s: float
    after_s: float
    open_s: float
    outages: int


FULL = Pace(settle_s=10, before_s=45, after_s=120, open_s=OPEN_S, outages=2)
QUICK = Pace(settle_s=5, before_s=10, after_s=20, open_s=2, outages=1)


@dataclass(frozen=True, slots=True)
class Outage:
    """Outcomes per second around it, seconds from its end to the first story, and its calls."""

    before: float
    after: float
    seconds: float
    first_story_s: float
    calls: int


async def measure(bootstrap: str, *, quick: bool) -> list[Measurement]:
    """Let the endpoint answer 503 and recover, on one partition with requests waiting."""
    pace = QUICK if quick else FULL
    topics = await Topics.create(bootstrap)
    with judge(topics) as watching:
        async with (
            watching.reading(),
            endpoint({"seconds": LATENCY_S}) as base_url,
            service(topics, base_url, changes=_settings(pace)),
            load(topics, waiting(WAITING, watching)),
        ):
            await watching.until(bool, "the first story")
            await asyncio.sleep(pace.settle_s)
            outages = [await _outage(base_url, watching, pace) for _ in range(pace.outages)]
    return [_throughput(outages), _recovery(outages, pace), _calls(outages)]


def _settings(pace: Pace) -> dict[str, str]:
    return {
        "JIRAIYA_ENGINE__MAX_IN_FLIGHT": str(AT_ONCE),
        "JIRAIYA_BREAKER__OPEN_S": str(pace.open_s),
        "JIRAIYA_BREAKER__HALF_OPEN_CALLS": str(TRIALS),
        "JIRAIYA_BREAKER__CONSECUTIVE_FAILURES": str(CONSECUTIVE_FAILURES),
    }


async def _outage(base_url: str, watching: Judge, pace: Pace) -> Outage:
    start = time.monotonic()
    await asyncio.sleep(pace.before_s)
    began = time.monotonic()
    before = rate(watching.outcomes, start, began)
    await control(base_url, default="error_503", reset_stats=True)
    made = await _until_worst(base_url, pace)
    await control(base_url, default="ok")
    over = time.monotonic()
    await watching.until(lambda seen: bool(after(seen, over)), "a story after the outage")
    first = after(watching.outcomes, over)[0].at
    await asyncio.sleep(max(0.0, first + pace.after_s - time.monotonic()))
    afterwards = rate(watching.outcomes, first, first + pace.after_s)
    return Outage(before, afterwards, over - began, first - over, made)


async def _until_worst(base_url: str, pace: Pace) -> int:
    """Wait until trials have just failed, the worst instant to recover; return the calls made."""
    # Once the breaker is open nothing is in flight until the first trials.
    made = await _quiet(base_url, pace.open_s / 2)
    for _ in range(TRIAL_ROUNDS):
        made = await _trials(base_url, made)
    return made


async def _quiet(base_url: str, quiet_s: float) -> int:
    """Return the calls made once there was none in flight, nor a new one, for so long."""
    made, since = -1, time.monotonic()
    while time.monotonic() - since < quiet_s:
        now, in_flight = await calls(base_url)
        if now != made or in_flight:
            made, since = now, time.monotonic()
        await asyncio.sleep(LOOK_S)
    return made


async def _trials(base_url: str, before: int) -> int:
    """Return the calls made once there are more than `before`, and all are answered."""
    while True:
        made, in_flight = await calls(base_url)
        if made > before and not in_flight:
            return made
        await asyncio.sleep(LOOK_S)


def _throughput(outages: list[Outage]) -> Measurement:
    detail = {
        "stories/s (before, after)": [(round(o.before, 1), round(o.after, 1)) for o in outages],
        "outage, s": [round(o.seconds, 1) for o in outages],
    }
    what = (
        f"stories/s from the first story after an outage on ÷ before it; {WAITING} requests wait "
        f"all the time, {AT_ONCE} at once, latency {LATENCY_S:g} s, 1 partition"
    )
    ratios = [o.after / o.before for o in outages]
    goal = Goal("at least", 0.95)
    return Measurement("outage", "throughput", what, goal, ratios, len(outages), detail)


def _recovery(outages: list[Outage], pace: Pace) -> Measurement:
    detail = {"seconds": [round(o.first_story_s, 2) for o in outages]}
    what = (
        "from the endpoint's recovery to the first story ÷ (the breaker's trial interval of "
        f"{pace.open_s:g} s + 1 s), recovering just after trials have failed"
    )
    ratios = [o.first_story_s / (pace.open_s + 1) for o in outages]
    return Measurement("outage", "recovery", what, Goal("at most", 1), ratios, len(outages), detail)


def _calls(outages: list[Outage]) -> Measurement:
    allowed = AT_ONCE + CONSECUTIVE_FAILURES + TRIALS * TRIAL_ROUNDS
    detail = {"calls": [o.calls for o in outages], "allowed": allowed}
    what = (
        f"model calls during an outage ÷ those in flight ({AT_ONCE}), the failures that open the "
        f"breaker ({CONSECUTIVE_FAILURES}) and {TRIAL_ROUNDS} times {TRIALS} trials"
    )
    ratios = [o.calls / allowed for o in outages]
    return Measurement("outage", "calls", what, Goal("at most", 1), ratios, len(outages), detail)
