"""Stories that can be followed while they are written, and that nobody's progress can harm."""

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from operator import gt

import pytest

from tests.blackbox.administrator import Administrator
from tests.blackbox.asking import ask, codes
from tests.blackbox.bent_service import bend
from tests.blackbox.messages import Seen
from tests.blackbox.model_host import HostThread
from tests.blackbox.reader import read_all
from tests.blackbox.requests import plain
from tests.blackbox.service import ServiceProcess
from tests.blackbox.waiting import wait_until
from tests.blackbox.world import World

KEY = "a-key"
PUBLISHED = "jiraiya_progress_events_total"
NOT_PUBLISHED = "the progress of stories is not published"


@pytest.fixture
def host() -> Iterator[HostThread]:
    """Serve a model that takes two seconds to write a short story."""
    with HostThread(KEY) as thread:
        thread.host.pause_s = 0.08
        yield thread


def followed(world: World, *ended: str) -> dict[str, list[Seen]]:
    """Return the progress of each request, in the order of the topic, read anew.

    Of those that have `ended` all of it: it may come after the story, which is another producer's.
    """
    topic = f"{world.name}.progress"
    events = read_all(world.bootstrap, topic, lambda events: set(ended) <= finished(events))
    events.sort(key=lambda event: event.position)
    found: dict[str, list[Seen]] = {name: [] for name in ended}
    for event in events:
        found.setdefault(event.body["request_id"], []).append(event)
    return found


def finished(events: list[Seen]) -> set[str]:
    """Return the requests of which the last was told."""
    return {event.body["request_id"] for event in events if event.body["final"]}


def pieces(world: World, *names: str) -> list[int]:
    """Return in how many pieces each of these was told so far."""
    found = followed(world)
    return [len(found.get(name, ())) for name in names]


def serve(world: World, **changes: str) -> ServiceProcess:
    """Return a service that is ready and has progress taken however late, for all of it to come."""
    Administrator(world.bootstrap).create(f"{world.name}.progress", 3)
    return bend(world.service(**changes), "patient").start().wait_ready()


def times(events: list[Seen]) -> list[float]:
    """Return when each was said, in seconds."""
    said = [datetime.fromisoformat(event.header("ce_time") or "") for event in events]
    return [time.timestamp() for time in said]


def test_a_story_is_told_while_it_is_written_and_as_it_was_published(
    world: World, host: HostThread
) -> None:
    """In order, to its last word, at most ten times a second, and only to whom asked for it.

    The model stops twice in each story, until what it has written so far is told.
    """
    host.host.stops = (1 / 3, 2 / 3)
    service = serve(world, LLM__BASE_URL=host.base_url, LLM__API_KEY=KEY, LLM__MODEL="writer")
    told = [plain(f"told-{n}", f"user-{n}", stream=True, marker="k-owl") for n in range(4)]
    names = *(f"told-{n}" for n in range(4)), "no-key"
    world.publish([*told, plain("no-key", None, stream=True), plain("silent", "user-8")])
    wait_until(lambda: min(pieces(world, *names)) >= 2, 30, "each is told to the first stop")
    until_stop = pieces(world, *names)
    first_token = "jiraiya_llm_time_to_first_token_seconds"
    assert service.metric(f"{first_token}_count", model="writer") == 5
    began = service.metric(f"{first_token}_sum", model="writer")
    host.go_on()
    wait_until(lambda: all(map(gt, pieces(world, *names), until_stop)), 30, "each is told more")
    (silent,) = world.outcomes(1, 30)
    assert silent.body["request_id"] == "silent"
    host.go_on()
    progress, events = followed(world, *names), world.outcomes(6, 30)
    assert set(progress) == set(names)
    for event in events:
        if event.body["request_id"] != "silent":
            assert_tells(progress[event.body["request_id"]], event)
    assert service.metric(f"{first_token}_sum", model="writer") == began > 0
    sent = sum(map(len, progress.values()))
    wait_until(lambda: service.metric(PUBLISHED, result="sent") == sent, 30, "all are counted")
    assert not world.judgement().problems


def assert_tells(progress: list[Seen], story: Seen) -> None:
    """Compare what was told of a story with what was published."""
    content = story.body["story"]["content"]
    assert "".join(event.body["delta"] for event in progress) == content
    assert_in_order(progress)
    assert {event.key for event in progress} == {story.key}
    assert {event.header("ce_type") for event in progress} == {"com.kuybi.story.progress.v1"}
    assert {event.header("ce_causationid") for event in progress} == {
        story.header("ce_causationid")
    }
    assert len({event.header("ce_id") for event in progress}) == len(progress)


def assert_in_order(progress: list[Seen]) -> None:
    """Look at everything but the words."""
    assert [event.body["sequence"] for event in progress] == list(range(len(progress)))
    assert [event.body["final"] for event in progress] == [False] * (len(progress) - 1) + [True]
    said = times(progress)
    assert max(sum(begin <= time < begin + 1 for time in said) for begin in said) <= 10
    assert all(one <= other for one, other in pairwise(said))


def test_a_request_that_fails_ends_its_progress_and_is_told_no_more(world: World) -> None:
    """Followers learn that it is over; a resend tells nothing, its story is there already.

    A model without JSON is followed as well, and its title is not told.
    """
    world.endpoint.configure(
        script_by_key={"k-refused": ("refusal",), "k-cut": ("drop_after_headers", "ok")}
    )
    serve(world, ENGINE__RETRY_BASE_S="0.02", LLM__ANSWER_FORM="text")
    wishes = [plain("refused", "a", stream=True), plain("cut", "b", stream=True)]
    events = ask(world, wishes)
    assert codes(events) == ["content_blocked", "story"]
    progress = followed(world, "refused", "cut")
    (content,) = [e.body["story"]["content"] for e in events if "story" in e.body]
    assert "".join(event.body["delta"] for event in progress["cut"]) == content
    ends = {name: events[-1].body["final"] for name, events in progress.items()}
    assert ends == {"refused": True, "cut": True}
    assert [event.body["delta"] for event in progress["refused"]] == [""]
    ask(world, wishes)
    # What comes after it in the one queue of progress is there: nothing else will come before it.
    ask(world, [plain("after", "c", stream=True)])
    again = followed(world, "after")
    assert len(again["refused"]) == 1
    assert len(again["cut"]) == len(progress["cut"])
    assert not world.judgement().problems


def serve_two(world: World, host: HostThread) -> None:
    """Start a service with two models, and a topic for what it tells."""
    serve(
        world,
        LLM__BASE_URL=host.base_url,
        LLM__API_KEY=KEY,
        LLM__MODEL="first",
        LLM__FALLBACK_MODELS="second",
        ENGINE__RETRY_BASE_S="0.02",
    )


def test_what_one_model_began_to_tell_no_other_one_ends(world: World, host: HostThread) -> None:
    """It is asked again itself; who has heard nothing yet hears another one's story."""
    host.host.fading = frozenset({"first"})
    serve_two(world, host)
    (mended,) = ask(world, [plain("mended", stream=True)])
    assert (mended.body["source"], mended.body["tries"]) == ("model", 2)
    assert_in_order(followed(world, "mended")["mended"])
    host.host.stops = (0.25, 0.5)
    world.publish([plain("begun", stream=True)])
    wait_until(lambda: pieces(world, "begun")[0] >= 2, 30, "it begins to tell")
    host.host.down = frozenset({"first"})
    host.go_on()
    begun = world.outcome(2, 30)
    assert codes([begun]) == ["provider_unavailable"]
    assert host.host.asked == {(KEY, "first"): 5}
    told = followed(world, "begun")["begun"]
    assert len(told) > 2
    assert_in_order(told)
    world.publish([plain("unheard", stream=True)])
    wait_until(lambda: pieces(world, "unheard")[0] >= 2, 30, "the other one is heard meanwhile")
    host.go_on()
    story = world.outcome(3, 30)
    assert (story.body["source"], host.host.asked[KEY, "second"]) == ("fallback", 1)
    assert_tells(followed(world, "unheard")["unheard"], story)
    assert not world.judgement().problems


def test_a_fallback_that_began_to_tell_is_asked_again_itself(
    world: World, host: HostThread
) -> None:
    """To be followed costs no story: the same request without `stream` gets one."""
    host.host.down, host.host.fading = frozenset({"first"}), frozenset({"second"})
    serve_two(world, host)
    (story,) = ask(world, [plain("silent")])
    assert story.body["source"] == "fallback"
    (story,) = ask(world, [plain("followed", stream=True)])
    assert codes([story]) == ["story"]


def test_a_topic_that_is_not_there_costs_progress_alone(world: World) -> None:
    """Every story comes, one line says what is missing, and once it is there it is used."""
    service = world.serve()
    events = ask(world, (plain(f"r{n}", f"user-{n}", stream=True) for n in range(10)))
    assert codes(events) == ["story"] * 10
    service.wait_log(NOT_PUBLISHED, 30)
    assert f"{world.name}.progress" in service.log
    assert service.metric(PUBLISHED, result="dropped") > 0
    assert service.json("/health/ready")["status"] == "ok"
    Administrator(world.bootstrap).create(f"{world.name}.progress", 3)
    names = iter(range(1000))

    def is_told() -> bool:
        ask(world, [plain(f"more-{next(names)}", stream=True)])
        return service.metric(PUBLISHED, result="sent") > 0

    wait_until(is_told, 60, "progress is published")
    assert service.log.count(NOT_PUBLISHED) == 1
    assert not world.judgement().problems
