"""Whether a record costs more when its topic has many partitions."""

from bench.broker import Topics
from bench.draining import Drained, drain
from bench.measurement import Goal, Measurement

FEW, MANY = 1, 64
GOAL = Goal("at most", 1.1)
WARM_UP = 30_000


async def measure(bootstrap: str, *, quick: bool) -> list[Measurement]:
    """Drain as many records of 1 and of 64 partitions through the engine alone, in turn."""
    rounds, count = (1, 100_000) if quick else (3, 600_000)
    topics = {number: await Topics.create(bootstrap, number) for number in (FEW, MANY)}
    for side in topics.values():
        await side.request(count)
        # Not counted: the broker's JVM compiles what it runs often.
        await drain(side, "engine", WARM_UP)
    drains: dict[int, list[Drained]] = {FEW: [], MANY: []}
    for turn in range(rounds):
        for number in (FEW, MANY) if turn % 2 == 0 else (MANY, FEW):
            drains[number].append(await drain(topics[number], "engine", count))
    pairs = list(zip(drains[FEW], drains[MANY], strict=True))
    return [_cpu(pairs, rounds * count), _time(pairs, rounds * count)]


def _cpu(pairs: list[tuple[Drained, Drained]], n: int) -> Measurement:
    detail = {
        "CPU µs per record (1, 64)": [
            (round(a.cpu_s / a.count * 1e6, 1), round(b.cpu_s / b.count * 1e6, 1)) for a, b in pairs
        ],
        "records per transaction (1, 64)": [
            (a.per_transaction, b.per_transaction) for a, b in pairs
        ],
        "peak MiB (1, 64)": [(round(a.peak_mib), round(b.peak_mib)) for a, b in pairs],
    }
    ratios = [(b.cpu_s / b.count) / (a.cpu_s / a.count) for a, b in pairs]
    return Measurement("partitions", "cpu", _what("CPU"), GOAL, ratios, n, detail)


def _time(pairs: list[tuple[Drained, Drained]], n: int) -> Measurement:
    rates = [(round(a.count / a.seconds), round(b.count / b.seconds)) for a, b in pairs]
    ratios = [(b.seconds / b.count) / (a.seconds / a.count) for a, b in pairs]
    detail = {"records/s (1, 64)": rates}
    return Measurement("partitions", "time", _what("time"), GOAL, ratios, n, detail)


def _what(taken: str) -> str:
    return (
        f"{taken} per record draining a topic of {MANY} ÷ of {FEW} partition, the start of the "
        "sessions included; the engine alone, no-op handler"
    )
