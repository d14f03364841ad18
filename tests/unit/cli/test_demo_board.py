"""The demo's board and scenario, without a broker."""

import json

from jiraiya_events.cli.demo.board import Board, Mark
from jiraiya_events.cli.demo.scenario import scenario
from jiraiya_events.contract.event_types import EventType
from jiraiya_events.contract.examples import EXAMPLES
from jiraiya_events.domain.outcome import StoryFailed, StoryGenerated

STORY = StoryGenerated.model_validate(EXAMPLES[EventType.GENERATED])
FAILURE = StoryFailed.model_validate(EXAMPLES[EventType.FAILED])


def test_of_a_users_open_requests_the_first_is_being_written() -> None:
    """The others wait behind it: that is the order per key."""
    board = Board()
    for name, user in (("1", "ann"), ("2", "ann"), ("3", "ben")):
        board.published(name, user, name)
    assert [mark for mark, _ in board.marks("ann")] == [Mark.WRITING, Mark.WAITING]
    board.ended("1", STORY)
    assert [mark for mark, _ in board.marks("ann")] == [Mark.DONE, Mark.WRITING]
    assert [mark for mark, _ in board.marks("ben")] == [Mark.WRITING]


def test_counts_and_cost_are_those_of_the_outcomes() -> None:
    """Stories, failures, what is open, and the sum of what was paid."""
    board = Board()
    for name in ("1", "2", "3"):
        board.published(name, "ann", name)
    board.ended("1", STORY)
    board.ended("2", FAILURE)
    assert (board.stories, board.failures, board.open) == (1, 1, 1)
    assert board.newest is STORY
    assert board.cost == STORY.cost


def test_an_unknown_price_makes_the_sum_unknown() -> None:
    """Unknown is not zero."""
    board = Board()
    board.published("1", "ann", "1")
    board.ended("1", STORY.model_copy(update={"cost": None}))
    assert board.cost is None


def test_the_scenario_has_as_many_wishes_as_asked_for() -> None:
    """Two of them are mistakes once there are enough; fewer are all good."""
    for count in (1, 4, 5, 12, 40):
        wishes = scenario(count)
        assert len(wishes) == count
        good = 0
        for wish in wishes:
            try:
                good += bool(json.loads(wish.body)["keywords"])
            except ValueError:
                continue
        assert good == (count if count < 5 else count - 2)
