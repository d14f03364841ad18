"""A right that is taken away is named, waited for, and its return needs nobody's help."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from jiraiya_events.adapters.embedded import EmbeddedKafka, EmbeddedKafkaOptions
from tests.blackbox.administrator import USER, Administrator, Right
from tests.blackbox.requests import plain
from tests.blackbox.service import ServiceProcess, free_port
from tests.blackbox.waiting import wait_until
from tests.blackbox.world import World

WORD = "made-up-for-a-test"
JAAS = "org.apache.kafka.common.security.plain.PlainLoginModule required"
SOON_S = 45.0


class Guarded:
    """A broker with an authorizer: almighty without credentials, and a user with rules."""

    def __init__(self, folder: Path) -> None:
        port, guarded, controller = free_port(), free_port(), free_port()
        self.open = f"127.0.0.1:{port}"
        self.guarded = f"127.0.0.1:{guarded}"
        listeners = f"PLAINTEXT://{self.open},GUARDED://{self.guarded}"
        properties = {
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "listeners": f"{listeners},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": listeners,
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,GUARDED:SASL_PLAINTEXT,"
            "CONTROLLER:PLAINTEXT",
            "sasl.enabled.mechanisms": "PLAIN",
            "listener.name.guarded.plain.sasl.jaas.config": f'{JAAS} user_{USER}="{WORD}";',
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
        }
        self.options = EmbeddedKafkaOptions(
            port=port, properties=properties, data_dir=folder, train_startup_cache=False
        )

    def settings(self) -> dict[str, str]:
        """Return how the service gets in."""
        return {
            "KAFKA__BOOTSTRAP_SERVERS": self.guarded,
            "KAFKA__SECURITY_PROTOCOL": "SASL_PLAINTEXT",
            "KAFKA__SASL_MECHANISM": "PLAIN",
            "KAFKA__SASL_USERNAME": USER,
            "KAFKA__SASL_PASSWORD": WORD,
        }


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """Run the broker for all tests of this module."""
    broker = Guarded(tmp_path_factory.mktemp("guarded") / "kafka")
    with asyncio.Runner() as runner:
        kafka = EmbeddedKafka(broker.options)
        runner.run(kafka.start())
        yield broker
        runner.run(kafka.stop())


@pytest.fixture
def world(guarded: Guarded, tmp_path: Path) -> Iterator[World]:
    """Give the test topics of its own."""
    with World(guarded.open, tmp_path) as world:
        world.create_topics()
        yield world


def rights(world: World) -> dict[str, Right]:
    """Return the least the service needs, by the words that ask for it."""
    return {
        f"grant READ on that topic|{world.requested}": Right.to_read(world.requested),
        f"grant WRITE on that topic|{world.generated}": Right.to_write(world.generated),
        f"grant WRITE on that topic|{world.failed}": Right.to_write(world.failed),
        f"grant WRITE on that topic|{world.dlq}": Right.to_write(world.dlq),
        f"grant READ on that group|{world.group}": Right.to_join(world.group),
        "grant WRITE on transactional ids|": Right.to_transact(f"{world.group}."),
    }


def failing(service: ServiceProcess) -> str:
    """Return the details of all that fails."""
    checks = service.json("/health/ready")["checks"]
    return "; ".join(c["detail"] for c in checks if c["status"] == "failing")


@pytest.mark.timeout(180)
@pytest.mark.parametrize("number", range(6), ids=["in", "out", "failed", "dlq", "group", "tx"])
def test_a_right_that_is_taken_away_is_named_and_waited_for(
    guarded: Guarded, world: World, number: int
) -> None:
    """Readiness is red and says what to grant; the log is not flooded; then work goes on."""
    administrator = Administrator(guarded.open)
    needed = rights(world)
    administrator.allow(*needed.values(), Right.to_read(world.cancelled))
    service = world.serve(**guarded.settings())
    world.publish([plain("before", "a", partition=0)])
    world.outcomes(1, SOON_S)
    words, right = list(needed.items())[number]
    administrator.forbid(right)
    # A story, a failure and a dead letter: whichever output it is, something waits for it.
    world.publish([plain("story", "a", partition=0), plain("wrong", "b", user_id="", partition=1)])
    for word in words.split("|"):
        wait_until(lambda word=word: word in failing(service), SOON_S, f"readiness says {word}")  # type: ignore[misc]
    assert service.status("/health/ready") == 503
    assert service.status("/health/live") == 200
    lines = len(service.log.splitlines())
    assert lines < 40, service.log
    administrator.allow(right)
    world.outcomes(3, SOON_S)
    wait_until(lambda: service.status("/health/ready") == 200, SOON_S, "it is ready again")
    assert any("mend" in json.loads(line) for line in service.log.splitlines())
    assert world.endpoint.stats()["calls"] <= 3
    assert not world.judgement().problems
    assert WORD not in service.log


def test_a_user_without_any_right_waits_and_says_what_to_grant(
    guarded: Guarded, world: World
) -> None:
    """At the start, in one go, and nothing is paid for meanwhile."""
    administrator = Administrator(guarded.open)
    service = world.service(**guarded.settings()).start()
    world.publish([plain("one")])
    service.wait_log("Kafka lacks what the service needs", SOON_S)
    for topic in (world.requested, world.generated, world.failed, world.dlq, world.group):
        assert topic in failing(service)
    assert world.endpoint.stats()["calls"] == 0
    administrator.allow(*rights(world).values())
    service.wait_ready()
    world.outcomes(1, SOON_S)
