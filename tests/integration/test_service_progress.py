"""Stories that can be followed while they are written, and that nobody's progress can harm."""

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise

import pytest

from tests.blackbox.administrator import Administrator
from tests.blackbox.asking import ask, codes
from tests.blackbox.messages import Seen
from tests.blackbox.model_host import HostThread
from tests.blackbox.reader import TopicReader
from tests.blackbox.requests import plain
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


def followed(world: World) -> dict[str, list[Seen]]:
    """Return the progress of each request, in the order of the topic, read anew."""
    with TopicReader(world.bootstrap, [f"{world.name}.progress"]) as reader:
        events = sorted(reader.to_the_end(20), key=lambda event: event.position)
    found: dict[str, list[Seen]] = {}
    for event in events:
        found.setdefault(event.body["request_id"], []).append(event)
    return found


def times(events: list[Seen]) -> list[float]:
    """Return when each was said, in seconds."""
    said = [datetime.fromisoformat(event.header("ce_time") or "") for event in events]
    return [time.timestamp() for time in said]


def test_a_story_is_told_while_it_is_written_and_as_it_was_published(
    world: World, host: HostThread
) -> None:
    """In order, to its last word, at most ten times a second, and only to whom asked for it."""
    Administrator(world.bootstrap).create(f"{world.name}.progress", 3)
    service = world.serve(LLM__BASE_URL=host.base_url, LLM__API_KEY=KEY, LLM__MODEL="writer")
    told = [plain(f"told-{n}", f"user-{n}", stream=True, marker="k-owl") for n in range(4)]
    events = ask(world, [*told, plain("no-key", None, stream=True), plain("silent", "user-8")])
    progress = followed(world)
    assert set(progress) == {*(f"told-{n}" for n in range(4)), "no-key"}
    for event in events:
        if event.body["request_id"] != "silent":
            assert_tells(progress[event.body["request_id"]], event)
    first_token = "jiraiya_llm_time_to_first_token_seconds"
    assert service.metric(f"{first_token}_count", model="writer") == 5
    assert 0 < service.metric(f"{first_token}_sum", model="writer") / 5 < 1
    assert service.metric(PUBLISHED, result="sent") == sum(map(len, progress.values()))
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
    said = times(progress)
    # It takes 1.7 s to write: told in many pieces, spread over that time.
    assert len(progress) >= 8
    assert said[-1] - said[0] > 1


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
    Administrator(world.bootstrap).create(f"{world.name}.progress", 3)
    world.endpoint.configure(
        script_by_key={"k-refused": ("refusal",), "k-cut": ("drop_after_headers", "ok")}
    )
    world.serve(ENGINE__RETRY_BASE_S="0.02", LLM__ANSWER_FORM="text")
    wishes = [plain("refused", "a", stream=True), plain("cut", "b", stream=True)]
    events = ask(world, wishes)
    assert codes(events) == ["content_blocked", "story"]
    progress = followed(world)
    (content,) = [e.body["story"]["content"] for e in events if "story" in e.body]
    assert "".join(event.body["delta"] for event in progress["cut"]) == content
    ends = {name: events[-1].body["final"] for name, events in progress.items()}
    assert ends == {"refused": True, "cut": True}
    assert [event.body["delta"] for event in progress["refused"]] == [""]
    ask(world, wishes)
    again = followed(world)
    assert len(again["refused"]) == 1
    assert len(again["cut"]) == len(progress["cut"])
    assert not world.judgement().problems


def serve_two(world: World, host: HostThread) -> None:
    """Start a service with two models, and a topic for what it tells."""
    Administrator(world.bootstrap).create(f"{world.name}.progress", 3)
    world.serve(
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
    assert_in_order(followed(world)["mended"])
    world.publish([plain("begun", stream=True)])
    wait_until(lambda: "begun" in followed(world), 10, "it begins to tell")
    host.host.down = frozenset({"first"})
    begun = world.outcome(2)
    assert codes([begun]) == ["provider_unavailable"]
    assert host.host.asked == {(KEY, "first"): 5}
    told = followed(world)["begun"]
    assert len(told) > 2
    assert_in_order(told)
    (story,) = ask(world, [plain("unheard", stream=True)])
    assert (story.body["source"], host.host.asked[KEY, "second"]) == ("fallback", 1)
    assert_tells(followed(world)["unheard"], story)
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
    service.wait_log(NOT_PUBLISHED, 10)
    assert f"{world.name}.progress" in service.log
    assert service.metric(PUBLISHED, result="dropped") > 0
    assert service.json("/health/ready")["status"] == "ok"
    Administrator(world.bootstrap).create(f"{world.name}.progress", 3)
    names = iter(range(1000))

    def is_told() -> bool:
        ask(world, [plain(f"more-{next(names)}", stream=True)])
        return service.metric(PUBLISHED, result="sent") > 0

    wait_until(is_told, 20, "progress is published")
    assert service.log.count(NOT_PUBLISHED) == 1
    assert not world.judgement().problems
