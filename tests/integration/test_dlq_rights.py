"""The least an operator's user needs, on a broker that checks."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from jiraiya_events.adapters.embedded import EmbeddedKafka
from tests.blackbox.administrator import Administrator, Right
from tests.blackbox.operator import Operator
from tests.blackbox.world import World
from tests.integration.test_cli_dlq import fill
from tests.integration.test_fatal_rights import Guarded


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """Run a broker with an authorizer."""
    broker = Guarded(tmp_path_factory.mktemp("guarded") / "kafka")
    with asyncio.Runner() as runner:
        kafka = EmbeddedKafka(broker.options)
        runner.run(kafka.start())
        yield broker
        runner.run(kafka.stop())


@pytest.mark.timeout(180)
def test_the_rights_of_the_runbook_are_enough_and_each_that_is_missing_is_named(
    guarded: Guarded, tmp_path: Path
) -> None:
    """Nothing is published while one is missing."""
    with World(guarded.open, tmp_path, partitions=2) as world:
        world.create_topics()
        fill(world, 4)
        # Somebody who may do everything makes the topic of marks, and a mark to be read.
        assert Operator(world).dlq("discard", "0:0", "--yes").code == 0
        settings = guarded.settings()
        operator = Operator(world)
        operator.settings |= {f"JIRAIYA_{name}": value for name, value in settings.items()}
        administrator = Administrator(guarded.open)
        needed = {
            world.dlq: Right.to_read(world.dlq),
            operator.marks: Right.to_read(operator.marks),
            world.requested: Right.to_write(world.requested),
            f"WRITE on the topics {world.requested} and": Right.to_write(operator.marks),
            f"transactional id jiraiya-dlq.{world.dlq}/0": Right.to_transact("jiraiya-dlq."),
        }
        for words, right in needed.items():
            administrator.allow(*(one for one in needed.values() if one is not right))
            administrator.forbid(right)
            told = operator.dlq("replay", "--all", "--yes")
            assert (told.code, words in told.err) == (1, True), (words, told.err)
        assert not operator.replays()
        administrator.allow(*needed.values())
        told = operator.dlq("replay", "--all", "--yes")
        assert (told.code, "replayed 3" in told.err) == (0, True), told.err
