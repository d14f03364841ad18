"""What the cluster lacks is said in words that name the thing and the mend."""

from jiraiya_events.adapters.kafka.authorization import READ, UNKNOWN, WRITE
from jiraiya_events.adapters.kafka.needs import Needs, missing_rights, missing_topics

NEEDS = Needs(read=("in",), write=("out", "dlq"), group="jiraiya")
ALL = 1 << READ | 1 << WRITE


def lacks(rights: dict[str, int], group: int = ALL) -> list[str]:
    """Return all lines."""
    found = [*missing_topics(NEEDS, rights), *missing_rights(NEEDS, rights, group)]
    return [str(lack) for lack in found]


def test_nothing_is_said_where_nothing_is_missing() -> None:
    """Also where the cluster does not tell of rights."""
    assert lacks({"in": 1 << READ, "out": 1 << WRITE, "dlq": 1 << WRITE}) == []
    assert lacks(dict.fromkeys(NEEDS.topics, UNKNOWN), UNKNOWN) == []


def test_a_missing_topic_is_not_also_a_missing_right() -> None:
    """One line for one thing."""
    assert lacks({"in": ALL, "out": ALL}) == [
        "the topic dlq is missing: `jiraiya topics apply` creates it"
    ]


def test_each_missing_right_names_its_resource_and_operation() -> None:
    """READ on the input does not let us write to an output."""
    assert lacks({"in": 1 << WRITE, "out": 1 << READ, "dlq": 0}, group=0) == [
        "we may not read the topic in: grant READ on that topic to the service's user",
        "we may not write to the topic out: grant WRITE on that topic to the service's user",
        "we may not write to the topic dlq: grant WRITE on that topic to the service's user",
        "we may not read the group jiraiya: grant READ on that group to the service's user",
    ]
