"""A backlog of 300 records of 1 MiB: memory follows the engine's limits, not the backlog.

In MiB, beyond what the service needs when it is idle:

- 134 of records that were read and not committed: the process may hold 128, an equal part for each
  of 6 partitions, and each pauses at the record that fills its part, so one more for each;
- 24 that the consumer has read ahead: one fetch for each partition, which is 1 or the one record
  that is larger, as it came and unpacked, while the next one is on its way;
- 32 for up to 100 calls that wait for their answers, and for what the allocator does not give back.

What a record says, once it is parsed, may weigh many times its bytes: it must not be kept.
"""

import threading
from collections import Counter
from hashlib import sha256
from typing import Self

import psutil
import pytest

from tests.blackbox.messages import Seen
from tests.blackbox.reader import TopicReader
from tests.blackbox.requests import Request, plain
from tests.blackbox.waiting import wait_until
from tests.blackbox.world import World

pytestmark = pytest.mark.timeout(300)

MIB = 1024 * 1024
RECORDS = 300
PARTITIONS = 6
ACCEPTED = 128 + PARTITIONS
BOUND = ACCEPTED + 24 + 32
AT_ONCE = 60
"""Requests that are published together: the test is not to hold the backlog either."""


class Memory:
    """Watches the resident memory of a process, in MiB."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory")
        self.idle = self.peak = self._now()
        self.samples = 0

    def __enter__(self) -> Self:
        """Start watching."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop watching."""
        self._stop.set()
        self._thread.join()

    @property
    def most(self) -> float:
        """Return how far it rose above what it was at first."""
        return self.peak - self.idle

    def watch_on(self) -> None:
        """Return when it was looked at for another second."""
        enough = self.samples + 50
        wait_until(lambda: self.samples >= enough, 60, "the memory is watched")

    def _watch(self) -> None:
        while not self._stop.wait(0.02):
            self.peak = max(self.peak, self._now())
            self.samples += 1

    def _now(self) -> float:
        return float(self._process.memory_info().rss) / MIB


def large(number: int) -> Request:
    """Return a valid request of 1 MiB, most of it a field that is ignored."""
    name, key, partition = f"r{number}", f"user-{number}", number % PARTITIONS
    empty = plain(name, key, padding="").value or b""
    return plain(name, key, partition=partition, padding="x" * (MIB - len(empty)))


def publish(world: World) -> None:
    """Fill the topic; request `n` is record `n // 6` of partition `n % 6`."""
    for begin in range(0, RECORDS, AT_ONCE):
        world.publish(large(number) for number in range(begin, begin + AT_ONCE))


def answered(world: World) -> list[Seen]:
    """Return the terminal events once there are as many as requests: one for each."""
    world.outcomes(RECORDS, 90)
    with TopicReader(world.bootstrap, [world.generated, world.failed]) as reader:
        events = reader.to_the_end(60)
    every = [(n % PARTITIONS, n // PARTITIONS) for n in range(RECORDS)]
    assert Counter(event.request for event in events) == Counter(every)
    return events


def test_a_backlog_of_large_records_waits_in_the_log(world: World) -> None:
    """While no call is answered, and while all of it is worked off."""
    world.endpoint.configure(hold=True)
    service = world.serve(ENGINE__MAX_EVENT_BYTES=str(2 * MIB))
    with Memory(service.pid) as memory:
        publish(world)

        def consumed() -> float:
            return service.metric("jiraiya_events_consumed_total")

        wait_until(lambda: consumed() >= ACCEPTED - 2 * PARTITIONS, 60, "its limits are reached")
        memory.watch_on()
        assert consumed() <= ACCEPTED
        assert memory.most <= BOUND
        world.endpoint.configure(hold=False)
        events = answered(world)
        assert memory.most <= BOUND
    assert {event.topic for event in events} == {world.generated}


def test_a_backlog_of_oversized_records_becomes_dead_letters(world: World) -> None:
    """Each with every byte of its request, although none was looked into."""
    service = world.serve()
    with Memory(service.pid) as memory:
        publish(world)
        events = answered(world)
        assert memory.most <= BOUND
    assert {event.body["error"]["code"] for event in events} == {"payload_too_large"}
    wanted = [
        (n % PARTITIONS, n // PARTITIONS, sha256(large(n).value or b"").digest())
        for n in range(RECORDS)
    ]
    assert sorted(dead_letters(world)) == sorted(wanted)


def dead_letters(world: World) -> list[tuple[int, int, bytes]]:
    """Return partition and offset of each dead letter's request, and its value's digest."""
    found: list[tuple[int, int, bytes]] = []

    def all_there(letters: list[Seen]) -> bool:
        for letter in letters:
            partition, offset = letter.header("x-dlq-partition"), letter.header("x-dlq-offset")
            digest = sha256(letter.value or b"").digest()
            found.append((int(partition or -1), int(offset or -1), digest))
        letters.clear()  # 300 MiB: none of it is kept
        return len(found) >= RECORDS

    with TopicReader(world.bootstrap, [world.dlq]) as reader:
        reader.until(all_there, 90)
    return found
