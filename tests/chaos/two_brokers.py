"""A cluster of two brokers, so that leaders and coordinators have somewhere to move to."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from confluent_kafka import ElectionType, KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from jiraiya_events.adapters.embedded import EmbeddedKafka, EmbeddedKafkaOptions
from tests.blackbox.service import free_port
from tests.blackbox.tcp_proxy import HOST
from tests.blackbox.waiting import wait_until

FIRST, SECOND = 1, 2
COORDINATED = ("__consumer_offsets", "__transaction_state")
_PATIENCE_S = 40

SHARED = {
    "offsets.topic.replication.factor": "2",
    "transaction.state.log.replication.factor": "2",
    "transaction.state.log.min.isr": "1",
    "default.replication.factor": "2",
    # Here somebody can take over: a broker that is restarted must not wait a minute for itself.
    "broker.session.timeout.ms": "6000",
    # Whoever is preferred leads only when it is told to.
    "auto.leader.rebalance.enable": "false",
}


@dataclass(frozen=True, slots=True)
class TwoBrokers:
    """`first` is the controller as well; `second` may go and come back."""

    first: EmbeddedKafka
    second: EmbeddedKafka

    @property
    def bootstrap(self) -> str:
        """Return both addresses."""
        return f"{self.first.bootstrap_servers},{self.second.bootstrap_servers}"

    async def move_away_from_the_second(self) -> None:
        """Stop it in good order: the first takes over what it led and coordinated."""
        await self.second.restart()

    def move_back(self) -> None:
        """Give each partition, those of coordinators included, to its preferred leader."""
        wait_until(self._all_elected, _PATIENCE_S, "every partition has its preferred leader")

    def coordinators(self) -> set[int]:
        """Return which brokers coordinate groups or transactions: who leads those partitions."""
        topics = self._admin().list_topics(timeout=_PATIENCE_S).topics
        partitions = [p for name in COORDINATED for p in topics[name].partitions.values()]
        return {partition.leader for partition in partitions}

    def _all_elected(self) -> bool:
        """Elect; a replica that is not in sync yet cannot become the leader."""
        admin = self._admin()
        answers = admin.elect_leaders(ElectionType.PREFERRED).result(_PATIENCE_S)
        codes = [_code(error) for error in answers.values() if error is not None]
        return all(code == KafkaError.ELECTION_NOT_NEEDED for code in codes)

    def _admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})


def _code(error: Any) -> int:
    """Return an error's code; the client answers with errors, and with exceptions around them."""
    return int((error.args[0] if isinstance(error, KafkaException) else error).code())


@asynccontextmanager
async def two_brokers(folder: Path) -> AsyncIterator[TwoBrokers]:
    """Start both."""
    controller, one, two = free_port(), free_port(), free_port()
    voters = {"controller.quorum.voters": f"1@{HOST}:{controller}"}
    first_listeners = {"listeners": f"PLAINTEXT://{HOST}:{one},CONTROLLER://{HOST}:{controller}"}
    first = EmbeddedKafka(
        EmbeddedKafkaOptions(
            data_dir=folder / "first",
            port=one,
            properties={**SHARED, **voters, **first_listeners},
            train_startup_cache=False,
        )
    )
    second = EmbeddedKafka(
        EmbeddedKafkaOptions(
            data_dir=folder / "second",
            port=two,
            properties={
                **SHARED,
                **voters,
                "process.roles": "broker",
                "node.id": str(SECOND),
                "listeners": f"PLAINTEXT://{HOST}:{two}",
            },
            train_startup_cache=False,
        )
    )
    async with first:
        _join(folder / "first", folder / "second")
        async with second:
            yield TwoBrokers(first, second)


def _join(first: Path, second: Path) -> None:
    """Format the second broker's folder as a member of the first one's cluster."""
    properties = dict(
        line.split("=", 1)
        for line in (first / "topics" / "meta.properties").read_text().splitlines()
        if "=" in line
    )
    properties |= {"node.id": str(SECOND), "directory.id": properties["directory.id"][::-1]}
    topics = second / "topics"
    topics.mkdir(parents=True)
    lines = (f"{name}={value}\n" for name, value in properties.items())
    (topics / "meta.properties").write_text("".join(lines))
