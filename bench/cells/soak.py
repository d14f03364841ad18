"""Whether the service's memory grows with the stories it has told."""

from bench.broker import Topics
from bench.children import Child
from bench.judging import Judge, judge
from bench.load import load, waiting
from bench.measurement import Goal, Measurement
from bench.running import endpoint, service

WAITING = 400
LATENCY_S = 0.02
WARM_UP = 5_000
STEPS = 10
PATIENCE_S = 600.0


async def measure(bootstrap: str, *, quick: bool) -> list[Measurement]:
    """Tell stories without a pause, and look at the service's memory every so often."""
    stories = 5_000 if quick else 50_000
    topics = await Topics.create(bootstrap)
    with judge(topics) as watching:
        async with (
            watching.reading(),
            endpoint({"seconds": LATENCY_S}) as base_url,
            service(topics, base_url) as running,
            load(topics, waiting(WAITING, watching)),
        ):
            counts = range(WARM_UP, WARM_UP + stories + 1, stories // STEPS)
            rss = [await _rss_after(count, running, watching) for count in counts]
    detail = {
        "stories": list(counts),
        "MiB": [round(mib, 1) for mib in rss],
    }
    what = (
        f"RSS of the service after {stories} stories more ÷ after a warm-up of {WARM_UP}; "
        f"{WAITING} requests wait all the time, latency {LATENCY_S:g} s, result store in SQLite"
    )
    return [
        Measurement("soak", "rss", what, Goal("at most", 1.1), [rss[-1] / rss[0]], stories, detail)
    ]


async def _rss_after(count: int, running: Child, watching: Judge) -> float:
    await watching.until(lambda seen: len(seen) >= count, f"{count} stories", PATIENCE_S)
    return running.rss_mib()
