"""How much of the possible parallelism one partition gives: throughput ÷ (C / L)."""

import time
from collections.abc import Mapping
from typing import Any

from bench.broker import Topics
from bench.children import child
from bench.judging import judge
from bench.measurement import Goal, Measurement
from bench.running import endpoint, service, warm_up

AT_ONCE = 100
LATENCY_S = 1.0
WARM_WAVES = 5
"""Waves of C outcomes left out at the start (ramp-up) and, of the rest, at the end (tail)."""
TAIL_WAVES = 3

CASES: Mapping[str, tuple[Mapping[str, object], Goal]] = {
    "fixed": ({"kind": "fixed", "seconds": LATENCY_S}, Goal("at least", 0.95)),
    "lognormal": (
        {"kind": "lognormal", "seconds": LATENCY_S, "sigma": 0.5},
        Goal("at least", 0.9),
    ),
}


async def measure(bootstrap: str, *, quick: bool) -> list[Measurement]:
    """Run both latencies, a fresh service each."""
    count = 2_000 if quick else 3_200
    return [await _case(bootstrap, name, count) for name in CASES]


async def _case(bootstrap: str, name: str, count: int) -> Measurement:
    latency, goal = CASES[name]
    topics = await Topics.create(bootstrap)
    with judge(topics) as watching:
        async with endpoint(latency) as base_url:
            async with service(topics, base_url) as running:
                await warm_up(topics, watching)
                before = running.cpu_s()
                await topics.request(count)
                seen = await watching.wait_for(count)
                cpu_s = running.cpu_s() - before
            bare = await _bare_rate(base_url, count // 3)
    ideal = AT_ONCE / LATENCY_S
    rate, whole = steady_rate(seen), (count - 1) / (seen[-1] - seen[0] + LATENCY_S)
    detail: dict[str, Any] = {
        "steady state": f"{rate:.1f} stories/s of {ideal:.0f} possible",
        "with ramp-up and tail": round(whole / ideal, 3),
        "serial consumer (1 / L, arithmetic)": f"{1 / LATENCY_S:g} stories/s",
        "times the serial consumer": round(rate * LATENCY_S, 1),
        "bare ChatOpenAI.ainvoke loop, same endpoint, whole run": round(bare / ideal, 3),
        "CPU of the service, cores": round(cpu_s / (seen[-1] - seen[0] + LATENCY_S), 2),
    }
    what = f"throughput ÷ (C / L), 1 partition, 1,000 keys, C {AT_ONCE}, L {LATENCY_S:g} s {name}"
    return Measurement("parallelism", name, what, goal, [rate / ideal], count, detail)


async def _bare_rate(base_url: str, count: int) -> float:
    """Return calls per second of C bare loops: what this machine lets any client reach."""
    async with child("bench.programs.bare_calls", [base_url, str(AT_ONCE)]) as loop:
        await loop.answer()
        for first, calls in ((10_000_000, AT_ONCE), (0, count)):
            await loop.ask({"first": first, "count": calls})
            started = time.perf_counter()
            await loop.ask("go")
        return count / (time.perf_counter() - started)


def steady_rate(seen: list[float]) -> float:
    """Return outcomes per second between the same point of an early and of a late wave of C.

    With a fixed latency outcomes come in waves of C, so the window is a whole number of them.
    """
    first, last = WARM_WAVES * AT_ONCE - 1, len(seen) - TAIL_WAVES * AT_ONCE - 1
    return (last - first) / (seen[last] - seen[first])
