"""From the outage to the mend: dead letters, replayed into a running service."""

import asyncio
import json
import sys
from pathlib import Path

from jiraiya_events.adapters.store.open_store import open_stores
from jiraiya_events.contract.ids import fingerprint
from jiraiya_events.domain.identity import RequestIdentity
from jiraiya_events.domain.story import Usage
from jiraiya_events.generation.paid import PaidAnswer
from jiraiya_events.generation.prompt import AnswerForm
from tests.blackbox.messages import Seen
from tests.blackbox.operator import Operator
from tests.blackbox.requests import Request, binary, plain, structured
from tests.blackbox.world import World
from tests.integration.test_service_failures import FAST
from tests.integration.test_service_poison import POISON

ONCE = {**FAST, "ENGINE__MAX_TRIES": "1"}


def test_an_outage_is_mended_by_a_replay(world: World) -> None:
    """Each becomes a story of attempt 2, with the same ids, where and how it was sent."""
    sent = [
        plain("plain", headers=[("x-b", b"1"), ("x-a", None), ("x-b", b"\xff"), ("x-c", b"")]),
        binary("binary", key=None, headers=[("correlation_id", b"c-1")]),
        structured("structured", "u-2", attributes={"correlationid": "c-2"}),
        plain(None, None, marker="k-anonymous"),
        plain("brief", headers=[("ce_expirytime", b"2100-01-01T00:00:00Z")]),
    ]
    world.endpoint.configure(default="error_503")
    world.serve(**ONCE)
    world.publish(sent)
    world.outcomes(len(sent), 20)
    world.endpoint.configure(default="ok")
    operator = Operator(world)
    rows = operator.dlq("list", "--json").rows
    assert {row["code"] for row in rows} == {"provider_unavailable"}
    told = operator.dlq("replay", "--all", "--yes")
    assert (told.code, "replayed 5" in told.err) == (0, True), told.err
    world.outcomes(2 * len(sent), 20)
    found = world.judgement()
    assert not found.problems
    assert {event.body["attempt"] for event in found.generated} == {2}
    assert _correlations(found.generated) == _correlations(found.failed)
    for replay in operator.replays():
        request = _original(replay, found.dead_letters, found.requests)
        _assert_is_the_same(replay, request)
    assert operator.dlq("list", "--json").out == ""
    handled = operator.dlq("list", "--handled", "--json").rows
    assert [row["handled"] for row in handled] == ["replayed"] * 5
    again = operator.dlq("replay", "--all", "--yes")
    assert (again.code, len(operator.replays())) == (0, 5)


def test_what_fails_again_is_dead_lettered_again_whatever_its_code_up_to_the_cap(
    world: World,
) -> None:
    """A refusal is no dead letter at first; of a replay it is, and at the cap it stays."""
    world.endpoint.configure(script_by_key={"k-r": ("error_503", "refusal", "refusal")})
    world.serve(**ONCE)
    world.publish([plain("r")])
    world.outcomes(1, 20)
    operator = Operator(world, ENGINE__REPLAY_CAP="2")
    for attempt in (2, 3):
        assert operator.dlq("replay", "--all", "--yes").code == 0
        event = world.outcome(attempt)
        assert (event.body["attempt"], event.body["dead_lettered"]) == (attempt, True)
        assert event.body["error"]["code"] == "content_blocked"
    stopped = operator.dlq("replay", event.body["dlq_reference"], "--yes")
    assert (stopped.code, "REPLAY_CAP" in stopped.err) == (1, True)
    assert len(operator.replays()) == 2
    shown = operator.dlq("show", event.body["dlq_reference"])
    assert "REPLAY_CAP" in shown.out
    assert not world.judgement().problems
    assert operator.dlq("discard", event.body["dlq_reference"], "--yes").code == 0
    assert operator.dlq("list", "--json").out == ""


def test_poison_comes_back_byte_for_byte(world: World) -> None:
    """However strange, a record is replayed as it was, and is a dead letter again."""
    world.serve(**ONCE)
    world.publish(POISON)
    world.outcomes(len(POISON), 40)
    operator = Operator(world)
    assert operator.dlq("replay", "--all", "--yes").code == 0
    world.outcomes(2 * len(POISON), 40)
    found = world.judgement()
    assert not found.problems
    # One was only wrong in its expiry, which a replay does without.
    assert [event.header("ce_causationid") for event in found.generated] == ["p"]
    assert len(found.dead_letters) == 2 * len(POISON) - 1
    for replay in operator.replays():
        request = _original(replay, found.dead_letters, found.requests)
        assert (replay.key, replay.value) == (request.key, request.value)


def test_a_truncated_dead_letter_stays_and_says_so(kafka_bootstrap: str, tmp_path: Path) -> None:
    """A tombstone, whose value was null when it came, does not."""
    with World(kafka_bootstrap, tmp_path, partitions=1) as world:
        world.create_topics(dlq_bytes=4_000)
        world.serve()
        world.publish([Request(b"big", b"y" * 20_000), Request(None, None)])
        world.outcomes(2, 30)
        operator = Operator(world)
        told = operator.dlq("replay", "--all", "--yes", "--json")
        assert told.code == 1
        assert [row["stays"] for row in told.rows] == ["truncated", None]
        assert "too large to keep" in told.err
        world.outcomes(3, 20)
        (tombstone,) = operator.replays()
        assert (tombstone.key, tombstone.value) == (None, None)


def test_an_answer_that_is_paid_for_is_reused_and_its_body_cannot_be_edited(
    world: World, tmp_path: Path
) -> None:
    """Not by the tool, and where the tool has another store, not by the service."""
    world.endpoint.configure(default="error_503")
    world.serve(**ONCE)
    sent = [plain("paid"), plain("also-paid")]
    world.publish(sent)
    world.outcomes(2, 20)
    world.endpoint.configure(default="ok")
    _keep_answers(world, sent)
    before = world.endpoint.stats()["calls"]
    operator, stranger = Operator(world), Operator(world, STORE__URL="memory://")
    places = {row["request_id"]: row["reference"] for row in operator.dlq("list", "--json").rows}
    edit = tmp_path / "edit.json"
    edit.write_bytes(plain("also-paid", keywords=["owl"]).value or b"")
    edited = ("replay", places["also-paid"], "--edit", str(edit), "--yes")
    refused = operator.dlq(*edited)
    assert (refused.code, "paid for already" in refused.err) == (1, True)
    told = stranger.dlq(*edited)
    assert (told.code, "not checked here: " in told.err) == (0, True)
    conflict = world.outcome(3)
    assert conflict.body["error"]["code"] == "duplicate_conflict"
    assert operator.dlq("replay", places["paid"], "--yes").code == 0
    story = world.outcome(4)
    assert (story.body["attempt"], story.body["source"]) == (2, "result_store")
    assert world.endpoint.stats()["calls"] == before
    assert not world.judgement().problems


def test_a_wrong_request_is_edited_into_a_story(world: World, tmp_path: Path) -> None:
    """In the operator's editor, or with a file; what is still wrong is refused first."""
    world.serve(**ONCE)
    world.publish([plain("first", keywords=[]), Request(b"k", b'{"user_id": "u", nonsense')])
    world.outcomes(2, 20)
    operator = Operator(world)
    first, second = _by_key(operator, "user-1"), _by_key(operator, "k")
    editor = tmp_path / "editor.py"
    editor.write_text(
        "import sys, pathlib\n"
        "path = pathlib.Path(sys.argv[1])\n"
        "path.write_text(path.read_text().replace('[]', '[\"owl\"]'))\n"
    )
    with_editor = {"EDITOR": f"{sys.executable} {editor}"}
    told = operator.dlq("replay", first, "--edit", "--yes", **with_editor)
    assert told.code == 0, told.err
    assert world.outcome(3).body["story"]["title"]
    wrong, right = tmp_path / "wrong.json", tmp_path / "right.json"
    wrong.write_text('{"user_id": "u"}')
    right.write_text('{"user_id": "u", "keywords": ["owl"]}')
    refused = operator.dlq("replay", second, "--edit", str(wrong), "--yes")
    assert (refused.code, "keywords: required" in refused.err) == (2, True)
    assert operator.dlq("replay", "--edit", str(right), second, "--yes").code == 0
    mended = world.outcome(4)
    assert (mended.body["attempt"], mended.body["user_id"]) == (2, "u")
    assert not world.judgement().problems
    assert len(operator.replays()) == 2


def _correlations(events: list[Seen]) -> list[tuple[str | None, str | None]]:
    return sorted(
        (event.header("ce_causationid"), event.header("ce_correlationid")) for event in events
    )


def _original(replay: Seen, letters: list[Seen], requests: dict[tuple[int, int], Seen]) -> Seen:
    """Return the request whose dead letter this replay names."""
    (letter,) = (one for one in letters if replay.header("x-replay-of") == _place(one))
    partition, offset = letter.header("x-dlq-partition"), letter.header("x-dlq-offset")
    return requests[int(partition or -1), int(offset or -1)]


def _place(letter: Seen) -> str:
    return f"{letter.partition}:{letter.offset}"


def _assert_is_the_same(replay: Seen, request: Seen) -> None:
    """Compare byte for byte, in order, what a replay must not change."""
    assert (replay.key, replay.value) == (request.key, request.value)
    assert replay.partition == request.partition
    assert replay.timestamp_ms > request.timestamp_ms
    kept = [header for header in replay.headers if not header[0].startswith("x-replay-")]
    assert kept == [header for header in request.headers if header[0] != "ce_expirytime"]
    assert replay.header("x-replay-count") == "1"


def _by_key(operator: Operator, key: str) -> str:
    (row,) = operator.dlq("list", "--key", key, "--json").rows
    reference: str = row["reference"]
    return reference


def _keep_answers(world: World, requests: list[Request]) -> None:
    """Leave what a service leaves that died between its answer and its outcome."""
    content = " ".join(["word"] * 200)
    answer = PaidAnswer(
        text=json.dumps({"title": "Kept", "content": content}),
        form=AnswerForm.JSON,
        finish_reason="stop",
        refusal=None,
        model="main",
        provider="openai",
        prompt_version="story.v1",
        attempt=1,
        calls=1,
        usage=Usage(input_tokens=1, output_tokens=1),
        cost_pico_usd=1,
    )

    async def keep() -> None:
        store = open_stores(world.settings()["JIRAIYA_STORE__URL"], 1e6, 0).results
        for request in requests:
            body = json.loads(request.value or b"")
            identity = RequestIdentity("/unknown", body["request_id"])
            await store.save_answer(identity, fingerprint(body), body["user_id"], answer)
        await store.aclose()

    asyncio.run(keep())
