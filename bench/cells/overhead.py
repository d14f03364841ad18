"""How long a story takes that is not the model's time: everything of ours but the commit."""

import asyncio
import time
from collections.abc import Mapping

from bench.broker import Topics
from bench.judging import Judge, judge
from bench.load import load, steadily
from bench.measurement import Goal, Measurement
from bench.moments import timelines
from bench.running import endpoint, free_port, metric, service, stats
from bench.timelines import Timeline, mean_in_flight, percentile

PER_SECOND = 100.0
LATENCY = {"kind": "lognormal", "seconds": 1.0, "sigma": 0.5}
AT_MOST = 200
"""In flight; twice of what there will be, so that nobody waits for a slot."""
LEARNING = 1_000
"""Stories at once, before: the service finds out that the endpoint takes them."""
SETTLE_S = 5.0
ALLOWED_S = 0.05
LIMIT = "jiraiya_llm_concurrency_limit"


async def measure(bootstrap: str, *, quick: bool) -> list[Measurement]:
    """Publish at a steady pace, then ask the topics and the endpoint what was when."""
    rounds, seconds = (1, 10) if quick else (3, 40)
    topics = await Topics.create(bootstrap)
    port = free_port()
    changes = {
        "JIRAIYA_ENGINE__MAX_IN_FLIGHT": str(AT_MOST),
        "JIRAIYA_HTTP__PORT": str(port),
    }
    with judge(topics) as watching:
        async with (
            watching.reading(),
            endpoint(LATENCY, timed=True) as base_url,
            service(topics, base_url, changes=changes) as running,
        ):
            await topics.request(LEARNING, first=10_000_000)
            await watching.until(lambda seen: len(seen) == LEARNING, "the first stories")
            limits = [await metric(port, LIMIT)]
            started, cpu_s = time.monotonic(), running.cpu_s()
            async with load(topics, steadily(PER_SECOND)) as publishing:
                await asyncio.sleep(SETTLE_S + rounds * seconds + 1)
            cores = (running.cpu_s() - cpu_s) / (time.monotonic() - started)
            limits.append(await metric(port, LIMIT))
            told = LEARNING + publishing.published
            await watching.until(lambda seen: len(seen) == told, "the last stories")
            times = (await stats(base_url))["times"]
    each, first = int(seconds * PER_SECOND), int(SETTLE_S * PER_SECOND)
    numbers = range(first, first + rounds * each)
    found = timelines(topics, numbers, times, _visible(watching))
    beside = {
        "CPU of the service, cores": round(cores, 2),
        "calls the service would let be at once (start, end)": limits,
    }
    return [_overhead([found[at : at + each] for at in range(0, len(found), each)], beside)]


def _visible(watching: Judge) -> dict[int, float]:
    """Return the moment of each outcome by its request's offset; seconds since the Unix epoch."""
    epoch = time.time() - time.monotonic()
    return {outcome.offset: outcome.at + epoch for outcome in watching.outcomes}


def _overhead(rounds: list[list[Timeline]], beside: Mapping[str, object]) -> Measurement:
    every = [one for each in rounds for one in each]
    detail = {
        "all of it": _spread([one.ours for one in every]),
        "from the record's timestamp to the endpoint": _spread([one.before for one in every]),
        "from the answer to the terminal event": _spread([one.afterwards for one in every]),
        "all of it and the commit": _spread([one.ours_committed for one in every]),
        "with the endpoint at once, mean": round(mean_in_flight(every), 1),
        **beside,
    }
    what = (
        f"p99 of a story's time that is not the model's, the commit left out, ÷ "
        f"{ALLOWED_S * 1000:g} ms; {PER_SECOND:g} requests/s, latency lognormal with mean 1 s"
    )
    ratios = [percentile([one.ours for one in each], 0.99) / ALLOWED_S for each in rounds]
    return Measurement("overhead", "p99", what, Goal("at most", 1.0), ratios, len(every), detail)


def _spread(seconds: list[float]) -> str:
    shown = (
        f"{name} {percentile(seconds, share) * 1000:.1f}"
        for name, share in (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999), ("longest", 1.0))
    )
    return f"{', '.join(shown)} ms"
