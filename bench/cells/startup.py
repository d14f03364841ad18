"""How long people and platforms wait: `--help`, and `serve` until it is ready."""

import asyncio
import sys
import time
from statistics import median
from tempfile import TemporaryDirectory

from bench.broker import Topics
from bench.children import ROOT, child, environment
from bench.measurement import Goal, Measurement
from bench.running import free_port, ready, service_settings

HELP_S, READY_S = 0.5, 3.0
WITHIN = Goal("at most", 1.0)


async def measure(bootstrap: str, *, quick: bool) -> list[Measurement]:
    """Measure both; ratios are seconds ÷ the seconds allowed."""
    return [await _help(3 if quick else 10), await _serve(bootstrap, 2 if quick else 5)]


async def _help(rounds: int) -> Measurement:
    took = [await _wall("-m", "jiraiya_events", "--help") for _ in range(rounds)]
    nothing = [await _wall("-c", "pass") for _ in range(rounds)]
    detail = {
        "seconds (median)": round(median(took), 3),
        "`python -c pass`, seconds (median)": round(median(nothing), 3),
    }
    what = f"wall time of `jiraiya --help` ÷ {HELP_S} s"
    return Measurement("startup", "help", what, WITHIN, [t / HELP_S for t in took], rounds, detail)


async def _wall(*arguments: str) -> float:
    started = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=ROOT,
        env=environment({}),
    )
    code = await process.wait()
    took = time.perf_counter() - started
    if code:
        msg = f"`python {' '.join(arguments)}` ended with {code}"
        raise RuntimeError(msg)
    return took


async def _serve(bootstrap: str, rounds: int) -> Measurement:
    topics = await Topics.create(bootstrap, 6)
    took = [await _ready(topics) for _ in range(rounds)]
    detail = {"seconds (median)": round(median(took), 2)}
    what = f"from the start of `jiraiya serve` to /health/ready 200, broker up, ÷ {READY_S} s"
    ratios = [t / READY_S for t in took]
    return Measurement("startup", "serve-ready", what, WITHIN, ratios, rounds, detail)


async def _ready(topics: Topics) -> float:
    port = free_port()
    with TemporaryDirectory() as folder:
        settings = service_settings(topics, "http://127.0.0.1:9/v1", folder, port)
        started = time.perf_counter()
        async with child("jiraiya_events", ["serve"], settings):
            await ready(port)
            return time.perf_counter() - started
