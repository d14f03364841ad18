"""Adaptive concurrency against an endpoint that admits 40 calls at once and refuses the rest."""

import asyncio
import time
from collections.abc import Mapping

from bench.broker import Topics
from bench.judging import judge
from bench.load import load, waiting
from bench.measurement import Goal, Measurement
from bench.outcomes import rate
from bench.running import control, endpoint, service, stats

ADMITTED = 40
LATENCY_S = 0.5
WAITING = 400
SETTLE_S = 10.0

CASES: Mapping[str, float] = {"retry-after": 1.0, "no-wait": 0.0}
"""By what a refusal asks for, in seconds."""


async def measure(bootstrap: str, *, quick: bool) -> list[Measurement]:
    """Let both endpoints teach a fresh service what they take."""
    seconds = 15.0 if quick else 120.0
    rows: list[Measurement] = []
    for case, retry_after_s in CASES.items():
        rows += await _case(bootstrap, case, retry_after_s, seconds)
    return rows


async def _case(
    bootstrap: str, case: str, retry_after_s: float, seconds: float
) -> list[Measurement]:
    topics = await Topics.create(bootstrap)
    with judge(topics) as watching:
        async with watching.reading(), endpoint({"seconds": LATENCY_S}) as base_url:
            await control(base_url, admission_limit=ADMITTED, retry_after_s=retry_after_s)
            async with (
                service(topics, base_url) as running,
                load(topics, waiting(WAITING, watching)),
            ):
                await watching.until(bool, "the first story")
                await asyncio.sleep(SETTLE_S)
                learning = await stats(base_url)
                await control(base_url, reset_stats=True)
                start, cpu_s = time.monotonic(), running.cpu_s()
                await asyncio.sleep(seconds)
                end, cpu_s = time.monotonic(), running.cpu_s() - cpu_s
                seen = await stats(base_url)
            per_second = rate(watching.outcomes, start, end)
    best = ADMITTED / LATENCY_S
    about = (
        f"{ADMITTED} admitted at once, latency {LATENCY_S:g} s, a refusal asks for "
        f"{retry_after_s:g} s, {WAITING} requests wait all the time, {seconds:g} s from "
        f"{SETTLE_S:g} s after the first story on"
    )
    detail = {
        "stories/s": round(per_second, 1),
        "calls, refused": (seen["calls"], seen["refused_admission"]),
        "calls, refused, before": (learning["calls"], learning["refused_admission"]),
        "CPU of the service, cores": round(cpu_s / (end - start), 2),
    }
    refused = seen["refused_admission"] / seen["calls"]
    count = seen["calls"]
    return [
        Measurement(
            "gate",
            f"{case}-throughput",
            f"stories/s ÷ {best:g}; {about}",
            Goal("at least", 0.9),
            [per_second / best],
            count,
            detail,
        ),
        Measurement(
            "gate",
            f"{case}-refused",
            f"refused calls ÷ calls; {about}",
            Goal("at most", 0.02),
            [refused],
            count,
        ),
    ]
