"""What a story costs the service in CPU, against a bare loop of the same model calls."""

from pathlib import Path
from signal import SIGUSR1, SIGUSR2
from statistics import median
from tempfile import TemporaryDirectory

from bench.broker import Topics
from bench.children import Child, child
from bench.hotspots import by_package
from bench.judging import Judge, judge
from bench.measurement import Goal, Measurement
from bench.running import WARM_UP, endpoint, service, warm_up

AT_ONCE = 100
LATENCY_S = 0.2


async def measure(bootstrap: str, *, quick: bool) -> list[Measurement]:
    """Let both sides make the same calls in turn, round by round, then profile the service."""
    rounds, count = (3, 400) if quick else (5, 800)
    topics = await Topics.create(bootstrap)
    ours: list[float] = []
    bare: list[float] = []
    with judge(topics) as watching:
        async with (
            endpoint({"seconds": LATENCY_S}) as base_url,
            service(topics, base_url) as running,
            child("bench.programs.bare_calls", [base_url, str(AT_ONCE)]) as loop,
        ):
            await loop.answer()
            await warm_up(topics, watching)
            await _calls(loop, WARM_UP, 10_000_000)
            for number in range(rounds):
                bare.append(await _calls(loop, count, number * count))
                ours.append(await _stories(running, topics, watching, count, number * count))
    await _profile(bootstrap, 500)
    detail = {
        "service, CPU ms per story (median)": round(median(ours) * 1000, 3),
        "bare loop, CPU ms per call (median)": round(median(bare) * 1000, 3),
        "service, rounds": [round(s * 1000, 3) for s in ours],
        "bare loop, rounds": [round(s * 1000, 3) for s in bare],
    }
    what = (
        f"CPU of the service per story ÷ CPU of a bare ChatOpenAI.ainvoke loop per call, "
        f"{AT_ONCE} at once, latency {LATENCY_S:g} s, result store in SQLite"
    )
    ratios = [o / b for o, b in zip(ours, bare, strict=True)]
    return [Measurement("cpu", "story", what, Goal("at most", 1.5), ratios, rounds * count, detail)]


async def _calls(loop: Child, count: int, first: int) -> float:
    """Return the seconds of CPU per bare call; prompts are rendered before the clock starts."""
    await loop.ask({"first": first, "count": count})
    before = loop.cpu_s()
    await loop.ask("go")
    return (loop.cpu_s() - before) / count


async def _stories(
    running: Child, topics: Topics, watching: Judge, count: int, first: int
) -> float:
    """Return the seconds of CPU per story, from before publishing to the last one visible."""
    before = running.cpu_s()
    await topics.request(count, first)
    await watching.wait_for(count)
    return (running.cpu_s() - before) / count


async def _profile(bootstrap: str, count: int) -> None:
    topics = await Topics.create(bootstrap)
    with judge(topics) as watching, TemporaryDirectory() as folder:
        path = Path(folder) / "profile"
        async with (
            endpoint({"seconds": LATENCY_S}) as base_url,
            service(topics, base_url, profile=path) as running,
        ):
            await warm_up(topics, watching)
            running.signal(SIGUSR1)
            await topics.request(count)
            await watching.wait_for(count)
            running.signal(SIGUSR2)
            await running.answer()
        by_package(path, count)
