"""What the watch over topics and rights makes of what the cluster tells, look by look."""

import asyncio

import pytest
from aiokafka.errors import KafkaError
from structlog.testing import capture_logs

from jiraiya_events.adapters.kafka import cluster_watch
from jiraiya_events.adapters.kafka.authorization import READ, UNKNOWN, WRITE
from jiraiya_events.adapters.kafka.cluster_watch import ClusterWatch
from jiraiya_events.adapters.kafka.needs import Needs
from jiraiya_events.adapters.kafka.topic_facts import TopicFacts, TopicId
from tests.unit.engine.rig import virtual

ALL = 1 << READ | 1 << WRITE
FIRST: TopicId = (1, 1)
NEEDS = Needs(read=("in",), write=("out",), group="g")


class Cluster:
    """Topics as the test wants them; the watch asks it instead of a broker."""

    def __init__(self) -> None:
        self.facts = {"in": TopicFacts(ALL, FIRST, 6), "out": TopicFacts(ALL, (2, 2), 6)}
        self.group_questions = 0
        self.group_rights = UNKNOWN
        self.trouble: Exception | None = None
        self.hangs = False
        self.replaced: list[str] = []
        self.grown: list[str] = []
        self.watch = ClusterWatch(NEEDS, self.replaced.append, self.grown.append)

    async def look(self, times: int = 1) -> bool:
        """Have the watch look."""
        return [await self.watch.look(None) for _ in range(times)][-1]

    def lacks(self) -> list[str]:
        """Return what is said to be missing."""
        return [lack.what for lack in self.watch.lacks]


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """Return a cluster without a broker."""
    cluster = Cluster()

    async def facts(*_: object) -> dict[str, TopicFacts]:
        return dict(cluster.facts)

    async def group(*_: object) -> int:
        cluster.group_questions += 1
        if cluster.hangs:
            await asyncio.sleep(1_000)
        if cluster.trouble is not None:
            raise cluster.trouble
        return cluster.group_rights

    monkeypatch.setattr(cluster_watch, "topic_facts", facts)
    monkeypatch.setattr(cluster_watch, "group_rights", group)
    return cluster


async def test_a_lack_is_told_once_at_its_second_look_and_its_end_once(there: Cluster) -> None:
    """The first look may meet a broker that has not heard yet."""
    gone = there.facts.pop("out")
    with capture_logs() as lines:
        assert not await there.look()
        assert there.lacks() == []
        assert not await there.look(9)
        assert there.lacks() == ["the topic out is missing"]
        there.facts["out"] = gone
        assert await there.look(3)
        assert there.lacks() == []
    assert [line["log_level"] for line in lines] == ["error", "warning"]
    assert lines[0]["mend"] == "`jiraiya topics apply` creates it"


async def test_a_topic_of_another_identity_is_a_replaced_one(there: Cluster) -> None:
    """Also when it was away for a while; an output that was replaced is none of our concern."""
    await there.look(2)
    there.facts["in"] = TopicFacts(ALL, (9, 9), 3)
    there.facts["out"] = TopicFacts(ALL, (8, 8), 3)
    await there.look(2)
    assert (there.replaced, there.grown) == (["in"], [])
    there.facts.pop("in")
    await there.look(2)
    there.facts["in"] = TopicFacts(ALL, (7, 7), 3)
    await there.look(2)
    assert there.replaced == ["in", "in"]


async def test_added_partitions_are_told_once(there: Cluster) -> None:
    """With what it means for order."""
    await there.look()
    there.facts["in"] = TopicFacts(ALL, FIRST, 8)
    with capture_logs() as lines:
        await there.look(3)
    assert (there.replaced, there.grown) == ([], ["in"])
    (line,) = lines
    assert (line["before"], line["now"]) == (6, 8)


async def test_a_cluster_that_tells_no_identities_has_no_replaced_topics(there: Cluster) -> None:
    """Older ones do not."""
    there.facts["in"] = TopicFacts(ALL)
    await there.look(2)
    there.facts["in"] = TopicFacts(ALL)
    await there.look(2)
    assert (there.replaced, there.grown) == ([], [])


@virtual
async def test_a_coordinator_that_is_away_hides_no_missing_topic(there: Cluster) -> None:
    """It fails or hangs; what it told last holds until it tells something else."""
    there.group_rights = 0
    await there.look(2)
    for trouble in (KafkaError(), None):
        there.trouble, there.hangs = trouble, trouble is None
        gone = there.facts.pop("out")
        async with asyncio.timeout(5):
            await there.look()
        await there.look()
        assert there.lacks() == ["the topic out is missing", "we may not read the group g"]
        there.facts["out"] = gone
        await there.look()
        assert there.lacks() == ["we may not read the group g"]


async def test_before_its_rights_were_told_a_coordinator_is_waited_for(there: Cluster) -> None:
    """Nobody knows yet whether the group may be joined."""
    there.trouble = KafkaError()
    with pytest.raises(KafkaError):
        await there.look()


async def test_the_group_is_asked_for_rarely_while_all_is_well(there: Cluster) -> None:
    """Its description carries all its members."""
    await there.look(10)
    assert there.group_questions == 2
    there.facts.pop("out")
    await there.look(10)
    assert there.group_questions > 10
