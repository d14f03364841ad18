"""What the engine costs: a no-op handler against a plain consume-and-produce loop."""

from statistics import median

from bench.broker import Topics
from bench.draining import drain
from bench.measurement import Goal, Measurement

GOAL = Goal("at least", 0.8)


async def measure(bootstrap: str, *, quick: bool) -> list[Measurement]:
    """Drain the same topic by both sides in turn, with 1 and with 6 partitions."""
    rounds, count = (2, 20_000) if quick else (4, 40_000)
    return [await _case(bootstrap, partitions, rounds, count) for partitions in (1, 6)]


async def _case(bootstrap: str, partitions: int, rounds: int, count: int) -> Measurement:
    topics = await Topics.create(bootstrap, partitions)
    await topics.request(count)
    ours = [await drain(topics, "engine", count)]
    plain = [await drain(topics, "plain", count, batch=ours[-1].per_transaction)]
    for number in range(rounds):
        for side in ("engine", "plain") if number % 2 else ("plain", "engine"):
            if side == "engine":
                ours.append(await drain(topics, side, count))
            else:
                plain.append(await drain(topics, side, count, batch=ours[-1].per_transaction))
    # The first of each side warmed up the broker, whose JVM compiles what it runs often.
    del ours[0], plain[0]
    pairs = list(zip(ours, plain, strict=True))
    detail = {
        "engine, records/s (median)": round(median(count / o.seconds for o in ours)),
        "plain loop, records/s (median)": round(median(count / p.seconds for p in plain)),
        "records per transaction (engine, plain)": [
            (o.per_transaction, p.per_transaction) for o, p in pairs
        ],
        "CPU µs per record (engine, plain)": [
            (round(o.cpu_s / count * 1e6), round(p.cpu_s / count * 1e6)) for o, p in pairs
        ],
    }
    what = (
        "records/s of the engine (ports, Kafka writer, getmany intake, no-op handler) ÷ a plain "
        f"transactional aiokafka loop with the same batches, partitions {partitions}"
    )
    ratios = [p.seconds / o.seconds for o, p in pairs]
    case = f"{partitions}-partition" + ("s" if partitions > 1 else "")
    return Measurement("engine", case, what, GOAL, ratios, rounds * count, detail)
