"""What a story costs the service in CPU, against a bare loop of the same model calls."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from signal import SIGUSR1, SIGUSR2
from statistics import median
from tempfile import TemporaryDirectory

from bench.broker import Topics
from bench.children import Child, child
from bench.hotspots import by_package
from bench.judging import Judge, judge
from bench.measurement import Goal, Measurement
from bench.running import control, endpoint, service, stats

AT_ONCE = 100
LATENCY_S = 0.2
WARM_UP, WARM_UPS = 400, 10
"""Stories that warm up, and how often at most, until the endpoint has seen `AT_ONCE`."""
FIRST_OF_WARM_UP = 10_000_000


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of CPU of each call or story, and how many the endpoint saw at once at most."""

    cpu_s: float
    at_once: int


async def measure(bootstrap: str, *, quick: bool) -> list[Measurement]:
    """Let both sides make the same calls in turn, round by round, then profile the service."""
    rounds, count = (3, 400) if quick else (5, 800)
    topics = await Topics.create(bootstrap)
    ours: list[Cost] = []
    bare: list[Cost] = []
    with judge(topics) as watching:
        async with (
            endpoint({"seconds": LATENCY_S}) as base_url,
            service(topics, base_url) as running,
            child("bench.programs.bare_calls", [base_url, str(AT_ONCE)]) as loop,
        ):
            await loop.answer()
            await _warm_up(topics, watching, base_url)
            await _calls(loop, base_url, WARM_UP, FIRST_OF_WARM_UP)
            for first in range(0, rounds * count, count):
                bare.append(await _calls(loop, base_url, count, first))
                told = _stories(topics, watching, count, first)
                ours.append(await _cost(running, base_url, count, told))
    await _profile(bootstrap, 500)
    return [_story(ours, bare, rounds * count)]


def _story(ours: list[Cost], bare: list[Cost], n: int) -> Measurement:
    detail = {
        "service, CPU ms per story (median)": round(median(o.cpu_s for o in ours) * 1000, 3),
        "bare loop, CPU ms per call (median)": round(median(b.cpu_s for b in bare) * 1000, 3),
        "service, rounds": [round(o.cpu_s * 1000, 3) for o in ours],
        "bare loop, rounds": [round(b.cpu_s * 1000, 3) for b in bare],
        "with the endpoint at once at most (service, bare loop)": [
            (o.at_once, b.at_once) for o, b in zip(ours, bare, strict=True)
        ],
    }
    what = (
        f"CPU of the service per story ÷ CPU of a bare ChatOpenAI.ainvoke loop per call, "
        f"{AT_ONCE} at once, latency {LATENCY_S:g} s, result store in SQLite"
    )
    ratios = [o.cpu_s / b.cpu_s for o, b in zip(ours, bare, strict=True)]
    return Measurement("cpu", "story", what, Goal("at most", 1.0), ratios, n, detail)


async def _warm_up(topics: Topics, watching: Judge, base_url: str) -> None:
    """Tell stories until as many are at once as may be: the service begins with fewer.

    Raises RuntimeError when that does not come about.
    """
    for number in range(WARM_UPS):
        await _stories(topics, watching, WARM_UP, FIRST_OF_WARM_UP + number * WARM_UP)()
        if (await stats(base_url))["max_in_flight"] == AT_ONCE:
            return
    msg = f"never {AT_ONCE} calls at once"
    raise RuntimeError(msg)


async def _calls(loop: Child, base_url: str, count: int, first: int) -> Cost:
    """Return what each bare call costs; prompts are rendered before the clock starts."""
    await loop.ask({"first": first, "count": count})
    return await _cost(loop, base_url, count, lambda: loop.ask("go"))


def _stories(
    topics: Topics, watching: Judge, count: int, first: int
) -> Callable[[], Awaitable[object]]:
    """Return the work of stories: from before publishing to the last one visible."""

    async def tell() -> None:
        await topics.request(count, first)
        await watching.wait_for(count)

    return tell


async def _cost(
    running: Child, base_url: str, count: int, work: Callable[[], Awaitable[object]]
) -> Cost:
    await control(base_url, reset_stats=True)
    before = running.cpu_s()
    await work()
    cpu_s = running.cpu_s() - before
    return Cost(cpu_s / count, (await stats(base_url))["max_in_flight"])


async def _profile(bootstrap: str, count: int) -> None:
    topics = await Topics.create(bootstrap)
    with judge(topics) as watching, TemporaryDirectory() as folder:
        path = Path(folder) / "profile"
        async with (
            endpoint({"seconds": LATENCY_S}) as base_url,
            service(topics, base_url, profile=path) as running,
        ):
            await _warm_up(topics, watching, base_url)
            running.signal(SIGUSR1)
            await topics.request(count)
            await watching.wait_for(count)
            running.signal(SIGUSR2)
            await running.answer()
        by_package(path, count)
