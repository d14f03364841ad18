"""Keys as large as the requests' topic takes them: every output repeats its request's key."""

import json
from hashlib import sha256
from pathlib import Path
from random import Random

from confluent_kafka import Producer

from tests.blackbox.messages import Seen
from tests.blackbox.requests import Request, payload, plain
from tests.blackbox.world import World

KAFKAS_OWN_LIMIT = 1_048_588
COMPRESSIBLE = b"k" * 3_000_000
DENSE = Random(1).randbytes(1_048_400)


def request(name: str, key: bytes) -> Request:
    """Return a good request; its value is short, since hardly anything fits beside such a key."""
    return Request(key, json.dumps({"request_id": name, **payload(None, marker=name)}).encode())


def publish_compressed(world: World, *requests: Request) -> None:
    """Produce with gzip: the broker measures what is left."""
    producer = Producer(
        {
            "bootstrap.servers": world.bootstrap,
            "compression.type": "gzip",
            "message.max.bytes": 10_000_000,
        }
    )
    for one in requests:
        producer.produce(world.requested, key=one.key, value=one.value)
    assert producer.flush(30) == 0


def test_a_partition_goes_on_whatever_the_size_of_a_key(
    kafka_bootstrap: str, tmp_path: Path
) -> None:
    """What compresses goes out as it came; what does not goes out without its key, and says so."""
    with World(kafka_bootstrap, tmp_path, partitions=1) as world:
        world.create_topics(largest=str(KAFKAS_OWN_LIMIT), dlq_bytes=KAFKAS_OWN_LIMIT)
        world.serve()
        world.publish([plain("before"), request("dense", DENSE), Request(DENSE, b"{")])
        publish_compressed(world, request("wide", COMPRESSIBLE), Request(COMPRESSIBLE, b"{"))
        world.publish([plain("after")])
        world.outcomes(6, 40)
        found = world.judge(world.records())
        stories = sorted(found.generated, key=_place)
        ids = [event.header("ce_causationid") for event in stories]
        assert ids == ["before", "dense", "wide", "after"]
        _, dense, wide, _ = stories
        assert_without_its_key(dense, "x-")
        assert wide.key == COMPRESSIBLE
        undense, unwide = sorted(found.failed, key=_place)
        assert_without_its_key(undense, "x-")
        assert unwide.key == COMPRESSIBLE
        first, second = found.dead_letters
        assert_without_its_key(first, "x-dlq-")
        assert (second.key, second.value) == (COMPRESSIBLE, b"{")


def assert_without_its_key(event: Seen, prefix: str) -> None:
    """Check that the headers stand for the key."""
    assert event.key is None
    assert event.header(f"{prefix}key-dropped") == "true"
    assert event.header(f"{prefix}key-size") == str(len(DENSE))
    assert event.header(f"{prefix}key-sha256") == sha256(DENSE).hexdigest()


def _place(event: Seen) -> tuple[int, int]:
    return event.request
