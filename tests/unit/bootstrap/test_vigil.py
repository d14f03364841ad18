"""Who keeps watch is hindered by nobody who is slow."""

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import cast

from aiokafka import TopicPartition
from structlog.testing import capture_logs

from jiraiya_events.adapters.kafka.edge import KafkaEdge
from jiraiya_events.adapters.kafka.needs import Needs
from jiraiya_events.bootstrap.activity import Activity
from jiraiya_events.bootstrap.vigil import Vigil
from jiraiya_events.bootstrap.watchdog import COMMIT_S
from jiraiya_events.engine.records import Committed, Output, Partition
from jiraiya_events.generation.breakers import Breakers
from tests.unit.engine.rig import HERE, Rig, TroubledWriter, virtual


class SlowCluster:
    """A consumer whose broker answers whether it is there, and nothing else."""

    @property
    def _client(self) -> "SlowCluster":
        return self

    async def force_metadata_update(self) -> bool:
        """As aiokafka's."""
        return True

    def get_random_node(self) -> int:
        """As aiokafka's."""
        return 0

    async def send(self, *_: object) -> None:
        """Hang."""
        await asyncio.sleep(1_000)

    def assignment(self) -> set[TopicPartition]:
        """Return all there is."""
        return {TopicPartition(*HERE)}

    @property
    def cluster(self) -> "SlowCluster":
        """Return itself."""
        return self

    def leader_for_partition(self, _: TopicPartition) -> int:
        """As aiokafka's."""
        return 0

    async def beginning_offsets(self, _: object) -> None:
        """Hang."""
        await asyncio.sleep(1_000)


class HangingWriter(TroubledWriter):
    """Never comes back from a commit."""

    async def commit(self, outputs: Sequence[Output], committed: Committed) -> None:
        """Hang."""
        await asyncio.sleep(10**6)


@virtual
async def test_slow_looks_at_the_cluster_hide_no_work_that_is_stuck() -> None:
    """The broker answers, so what does not move is to be told, and in time."""
    rig = Rig()

    def hanging(partition: Partition) -> HangingWriter:
        return HangingWriter(rig, partition)

    rig.engine._writers = hanging
    edge = SimpleNamespace(
        intake=SimpleNamespace(consumer=SlowCluster(), is_paused=lambda _: False),
        partitions_added=lambda _: None,
    )
    needs = Needs(read=("in",), write=("out",), group="g")
    vigil = Vigil(
        cast("KafkaEdge", edge),
        rig.engine,
        cast("Breakers", ()),
        Activity(),
        needs,
        call_timeout_s=60,
    )
    rig.add(b"a", b"b")
    await rig.start()
    vigil.start()
    with capture_logs() as logs:
        await asyncio.sleep(COMMIT_S + 10)
    await vigil.stop()
    stuck = [line for line in logs if line["log_level"] == "critical"]
    assert len(stuck) == 1, logs
    assert "finished records are not committed" in stuck[0]["stuck"][0]
    await rig.stop(0)
