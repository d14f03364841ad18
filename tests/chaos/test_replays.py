"""The replay tool, killed and run by two at once; judged from the topics alone."""

import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from tests.blackbox.operator import Operator
from tests.blackbox.waiting import wait_until
from tests.blackbox.world import World

SEED = 20_261_124
LETTERS = 300
"""Three transactions, one for each partition of the dead letters."""

INSTANTS = {
    "before the outputs are sent": (0, 0),
    "between send and commit": (1, 100),
    "in the coordinator's PREPARE_COMMIT": (1, 200),
    "right after the commit of a replay": (1, 200),
}
"""How often each instant is passed unharmed, and how many letters are replayed by then."""

FEW = 3_000
REPLAY = ("dlq", "replay", "--all", "--yes")
KILLS = 4


@pytest.fixture
def operator(kafka_bootstrap: str, tmp_path: Path) -> Iterator[Operator]:
    """Give the test the topics of a world without a service."""
    with World(kafka_bootstrap, tmp_path, partitions=3) as world:
        world.create_topics()
        yield Operator(world)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("instant", INSTANTS)
def test_killed_at_this_instant_and_run_again_each_is_replayed_exactly_once(
    operator: Operator, tmp_path: Path, instant: str
) -> None:
    """The next run does what the dead one's transactions did not commit, and nothing else."""
    unharmed, committed = INSTANTS[instant]
    _fill(operator.world, LETTERS)
    died = tmp_path / "died"
    dying = subprocess.run(
        [sys.executable, "-m", "tests.chaos.programs.dying", *REPLAY],
        cwd=tmp_path,
        env=operator.environment()
        | {"DIES_AT": instant, "DIES_AFTER": str(unharmed), "DIED_FILE": str(died)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=90,
        check=False,
    )
    assert dying.returncode == -signal.SIGKILL, dying.stderr
    assert died.read_text().splitlines() == [instant]
    told = operator.jiraiya(*REPLAY, "--json")
    assert told.code == 0, told.err
    assert [row["fate"] for row in told.rows] == ["replayed"] * (LETTERS - committed)
    _assert_each_once(operator, LETTERS, instant)


@pytest.mark.timeout(180)
def test_killed_anywhere_and_run_again_each_is_replayed_exactly_once(
    operator: Operator, tmp_path: Path
) -> None:
    """Four `kill -9` at seeded moments of a run, wherever they hit it, then one run to the end."""
    _fill(operator.world, FEW)
    rng = random.Random(SEED)
    log = tmp_path / "replay.log"
    history: list[str] = []
    for _ in range(KILLS):
        seen = _lines(log)
        process = _start(operator, log, "--rate", "300")
        wait_until(lambda p=process, n=seen: _lines(log) > n or p.poll() is not None,  # type: ignore[misc]
                   60, "it replays")  # fmt: skip
        threading.Event().wait(rng.uniform(0.0, 0.3))
        process.kill()
        process.wait(10)
        history.append(f"after {_lines(log) - seen}")
    told = operator.jiraiya(*REPLAY)
    assert told.code == 0, told.err
    print(f"\nseed {SEED}, killed {history}")  # noqa: T201 - where the kills hit is worth reading
    _assert_each_once(operator, FEW, f"seed {SEED}: {history}")


@pytest.mark.timeout(300)
def test_two_operators_at_once_replay_each_exactly_once(operator: Operator, tmp_path: Path) -> None:
    """The second takes over from the first, which says so and stops; one of them comes through."""
    _fill(operator.world, FEW)
    logs = [tmp_path / "first.log", tmp_path / "second.log"]
    # It has a minute's work in each partition: the second comes before its end.
    first = _start(operator, logs[0], "--rate", "20")
    wait_until(lambda: "replayed" in logs[0].read_text(), 60, "the first is at work")
    second = _start(operator, logs[1])
    assert (first.wait(120), second.wait(120)) == (1, 0), [log.read_text() for log in logs]
    assert "another operator is replaying partition" in logs[0].read_text()
    assert "nothing was done twice" in logs[0].read_text()
    _assert_each_once(operator, FEW, "two operators")


@pytest.mark.timeout(180)
def test_two_operators_of_different_groups_replay_each_exactly_once(
    operator: Operator, tmp_path: Path
) -> None:
    """The lock is the dead letters', not that of the settings with which somebody comes."""
    _fill(operator.world, FEW)
    logs = [tmp_path / "first.log", tmp_path / "second.log"]
    # It has a minute's work in each partition: the second comes before its end.
    first = _start(operator, logs[0], "--rate", "20")
    wait_until(lambda: "replayed" in logs[0].read_text(), 60, "the first is at work")
    second = _start(Operator(operator.world, KAFKA__GROUP_ID="another-group"), logs[1])
    assert (first.wait(120), second.wait(120)) == (1, 0), [log.read_text() for log in logs]
    assert "another operator is replaying partition" in logs[0].read_text()
    _assert_each_once(operator, FEW, "two operators of different groups")


@pytest.mark.timeout(300)
def test_a_crowd_of_operators_replays_each_exactly_once(operator: Operator, tmp_path: Path) -> None:
    """Four begin together; whatever they do to each other, one run more ends it."""
    _fill(operator.world, FEW)
    logs = [tmp_path / f"{number}.log" for number in range(4)]
    crowd = [_start(operator, log, "--rate", "600") for log in logs]
    codes = [process.wait(120) for process in crowd]
    texts = [log.read_text() for log in logs]
    assert set(codes) <= {0, 1}, texts
    assert 0 in codes, texts
    for code, text in zip(codes, texts, strict=True):
        assert code == 0 or "another operator is replaying partition" in text, text
    assert operator.dlq("replay", "--all", "--yes").code == 0
    _assert_each_once(operator, FEW, f"a crowd that ended with {codes}")


def _start(operator: Operator, log: Path, *pace: str) -> "subprocess.Popen[bytes]":
    log.touch()
    return operator.start("replay", "--all", "--yes", "--json", *pace, log=log)


def _assert_each_once(operator: Operator, letters: int, history: str) -> None:
    """Read what committed: each letter has one replay, in its order, and one mark."""
    replays = operator.replays()
    counts = Counter(replay.header("x-replay-of") for replay in replays)
    assert len(counts) == letters, f"{letters - len(counts)} were skipped: {history}"
    assert set(counts.values()) == {1}, f"{counts.most_common(3)}: {history}"
    assert operator.marked() == counts, history
    places: dict[int, list[int]] = {}
    for replay in replays:
        partition, _, offset = (replay.header("x-replay-of") or "").partition(":")
        assert replay.partition == int(partition)
        places.setdefault(int(partition), []).append(int(offset))
    assert all(offsets == sorted(offsets) for offsets in places.values()), history


def _lines(log: Path) -> int:
    return log.read_text().count('"fate"') if log.exists() else 0


def _fill(world: World, count: int) -> None:
    """Write dead letters, each of a request in the partition of the same number."""
    producer = Producer({"bootstrap.servers": world.bootstrap, "linger.ms": 20, "log_level": 0})
    for number in range(count):
        partition = number % world.partitions
        story = {
            "topic": world.requested,
            "partition": str(partition),
            "offset": str(number),
            "error-code": "provider_unavailable",
            "failed-at": "2026-01-31T12:00:00.000Z",
            "replay-count": "0",
        }
        producer.produce(
            world.dlq,
            b'{"user_id": "u-1", "keywords": ["dragon"], "request_id": "r-%d"}' % number,
            b"key-%d" % (number % 50),
            partition=partition,
            headers=[("x-dlq-" + name, text.encode()) for name, text in story.items()],
        )
        if number % 1_000 == 0:
            producer.poll(0)
    assert producer.flush(30) == 0
