"""The demo's board and scenario, without a broker."""

import io
import json

from rich.console import Console

from jiraiya_events.cli.demo.board import Board, Mark
from jiraiya_events.cli.demo.scenario import scenario
from jiraiya_events.cli.demo.view import Places, _shortened, page, summary
from jiraiya_events.contract.event_types import EventType
from jiraiya_events.contract.examples import EXAMPLES
from jiraiya_events.domain.outcome import StoryFailed, StoryGenerated
from jiraiya_events.engine.statistics import Statistics

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


def test_a_long_lane_is_shortened_to_what_moves() -> None:
    """Signs for what ended, words for the last of it, for what is written and for what is next."""
    done, writing, waiting = Mark.DONE, Mark.WRITING, Mark.WAITING
    lane = [
        (done, "a"),
        (done, "b"),
        (writing, "c"),
        (waiting, "d"),
        (waiting, "e"),
        (waiting, "f"),
    ]
    assert _shortened(lane) == [
        (done, ""), (done, "b"), (writing, "c"), (waiting, "d"), (waiting, "… and 2 more"),
    ]  # fmt: skip
    assert _shortened(lane[:3]) == lane[:3]
    assert _shortened(lane[:4]) == [(done, ""), *lane[1:4]]


def test_the_page_shows_lanes_counters_and_the_newest_story() -> None:
    """Titles and names are text, whatever brackets or colons they hold."""
    board = Board()
    board.published("1", "ann", "[red]moon")
    statistics = Statistics(1, 100, waiting=2, parked=3, draining=False, sessions=())
    places = Places("127.0.0.1:1", "http://127.0.0.1:2", "a model")
    console = Console(file=io.StringIO(), width=100)
    console.print(page(board, statistics, places, 1.0))
    titled = STORY.story.model_copy(update={"title": "[The] :dragon:"})
    board.ended("1", STORY.model_copy(update={"story": titled}))
    console.print(page(board, statistics, places, 2.0))
    text = console.file
    assert isinstance(text, io.StringIO)
    shown = text.getvalue()
    for words in ("[red]moon", "2 queued", "3 parked", "[The] :dragon:", STORY.user_id):
        assert words in shown


def test_the_summary_claims_only_what_is_so() -> None:
    """A request without an event is said, with the places to look at."""
    board = Board()
    board.published("1", "ann", "moon")
    places = Places("k", "http://s", "m")
    assert "1 requests have no event" in summary(board, places, 1.0)
    board.ended("1", STORY)
    assert "Every request got its event" in summary(board, places, 1.0)


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
