"""`jiraiya dlq` on a topic of dead letters, judged by its streams and exit codes."""

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from tests.blackbox.operator import Operator
from tests.blackbox.waiting import wait_until
from tests.blackbox.world import World

CODES = ("provider_unavailable", "invalid_event", "internal")


def fill(world: World, count: int) -> None:
    """Write dead letters of three codes and two users into partition 0."""
    producer = Producer({"bootstrap.servers": world.bootstrap, "log_level": 0})
    for number in range(count):
        story = {
            "topic": world.requested,
            "partition": "0",
            "offset": str(100 + number),
            "error-code": CODES[number % 3],
            "failed-at": f"2026-01-31T12:00:{number % 60:02}.000Z",
            "replay-count": "0",
        }
        producer.produce(
            world.dlq,
            b'{"user_id": "user-%d", "keywords": ["a"], "request_id": "r-%d"}'
            % (number % 2, number),
            b"key-%d" % (number % 2),
            partition=0,
            headers=[("x-dlq-" + name, text.encode()) for name, text in story.items()],
        )
    assert producer.flush(30) == 0


@pytest.fixture
def operator(kafka_bootstrap: str, tmp_path: Path) -> Iterator[Operator]:
    """Give the test twelve dead letters at 0:0 to 0:11, of requests 100 to 111."""
    with World(kafka_bootstrap, tmp_path, partitions=2) as world:
        world.create_topics()
        fill(world, 12)
        yield Operator(world)


def references(operator: Operator, *arguments: str) -> list[str]:
    return [row["reference"] for row in operator.dlq("list", "--json", *arguments).rows]


def test_selectors_narrow_the_list(operator: Operator) -> None:
    """Each alone, and together."""
    assert len(references(operator)) == 12
    assert references(operator, "--code", "internal") == ["0:2", "0:5", "0:8", "0:11"]
    assert references(operator, "--code", "internal", "--user", "user-1") == ["0:5", "0:11"]
    assert references(operator, "--key", "key-0", "--limit", "2") == ["0:0", "0:2"]
    since, until = "2026-01-31T12:00:03Z", "2026-01-31T12:00:05Z"
    assert references(operator, "--since", since, "--until", until) == ["0:3", "0:4"]
    request = f"{operator.world.requested}/0/107"
    assert references(operator, "0:1", request) == ["0:1", "0:7"]


def test_a_list_is_summed_up_beside_it(operator: Operator) -> None:
    """Rows on stdout, the summary on stderr; alone, the summary is what was asked for."""
    listed = operator.dlq("list")
    assert listed.out.splitlines()[0].split()[:2] == ["REF", "FAILED"]
    assert len(listed.out.splitlines()) == 1 + 12
    assert operator.dlq("list", "--all").out == listed.out
    assert listed.err.splitlines()[0].startswith("CODE")
    summary = operator.dlq("list", "--summary")
    assert (len(summary.out.splitlines()), summary.err) == (4, "")
    rows = operator.dlq("list", "--summary", "--json").rows
    assert [(row["code"], row["letters"]) for row in rows] == [
        ("internal", 4), ("invalid_event", 4), ("provider_unavailable", 4),
    ]  # fmt: skip


def test_a_letter_is_shown_by_its_place_and_by_its_request(operator: Operator) -> None:
    by_place = operator.dlq("show", "0:7", "--json").rows
    assert operator.dlq("show", f"{operator.world.requested}/0/107", "--json").rows == by_place
    assert operator.dlq("show", f"{operator.world.dlq}/0/7", "--json").rows == by_place
    assert by_place[0]["value"]["request_id"] == "r-7"
    page = operator.dlq("show", "0:7").out
    assert "invalid_event" in page
    assert "--edit" in page
    missing = operator.dlq("show", "0:99")
    assert (missing.code, missing.out) == (1, "")
    assert "there is no dead letter 0:99" in missing.err


def test_a_dry_run_changes_nothing(operator: Operator) -> None:
    told = operator.dlq("replay", "--all", "--dry-run")
    assert (told.code, len(told.out.splitlines())) == (0, 4)
    assert "nothing was changed" in told.err
    rows = operator.dlq("discard", "--all", "--dry-run", "--json").rows
    assert sum(row["letters"] for row in rows) == 12
    assert not operator.replays()
    assert not operator.marked()


def test_what_is_named_and_is_not_there_or_done_is_said(operator: Operator) -> None:
    """Done before in the same way is done; in the other way, or nowhere, is a failure."""
    assert operator.dlq("discard", "0:0", "--yes").code == 0
    again = operator.dlq("discard", "0:0", "--yes")
    assert (again.code, "0:0 was discarded before" in again.err) == (0, True)
    other = operator.dlq("replay", "0:0", "--yes", "--json")
    assert (other.code, [row["handled"] for row in other.rows]) == (1, ["discarded"])
    missing = operator.dlq("replay", "0:1", "0:99", "--yes")
    assert (missing.code, "0:99" in missing.err, "replayed 1" in missing.err) == (1, True, True)
    assert [replay.header("x-replay-of") for replay in operator.replays()] == ["0:1"]


def test_what_is_named_and_left_out_by_another_selector_is_said_to_be_there(
    operator: Operator,
) -> None:
    """As what stays, it is a failure; and it is not touched."""
    told = operator.dlq("replay", "0:4", "--code", "provider_timeout", "--yes")
    assert (told.code, operator.replays()) == (1, [])
    assert "0:4 is there, but the other selectors leave it out" in told.err
    assert "there is no dead letter" not in told.err
    assert "0:4 is there" in operator.dlq("list", "0:4", "--user", "user-1").err


def test_what_is_named_and_handled_is_hidden_and_said(operator: Operator) -> None:
    """It is neither listed nor counted nor missing, until it is asked for."""
    assert operator.dlq("discard", "0:0", "--yes").code == 0
    told = operator.dlq("list", "0:0", "0:1", "--limit", "1", "--json")
    assert (told.code, [row["reference"] for row in told.rows]) == (0, ["0:1"])
    assert "0:0 was discarded at 20" in told.err
    assert references(operator, "0:0", "0:1", "--handled") == ["0:0", "0:1"]
    summed = operator.dlq("list", "0:0", "0:1", "--summary", "--json")
    assert [row["letters"] for row in summed.rows] == [1]


def test_the_dead_letters_of_another_service_are_refused(operator: Operator) -> None:
    """Nobody who uses these settings reads the topic they came from."""
    stranger = Operator(operator.world, TOPICS__REQUESTED="elsewhere")
    told = stranger.dlq("replay", "0:0", "--yes")
    assert (told.code, "JIRAIYA_TOPICS__REQUESTED" in told.err) == (1, True)


def test_a_partition_that_no_longer_exists_is_refused(operator: Operator) -> None:
    """The topic was made anew with fewer."""
    world = operator.world
    gone = {"topic": world.requested, "partition": "5", "offset": "1", "error-code": "internal"}
    producer = Producer({"bootstrap.servers": world.bootstrap, "log_level": 0})
    headers: list[tuple[str, str | bytes | None]] = [
        ("x-dlq-" + name, text) for name, text in gone.items()
    ]
    producer.produce(world.dlq, b"{}", partition=1, headers=headers)
    assert producer.flush(20) == 0
    refused = operator.dlq("replay", "1:0", "--yes")
    assert (refused.code, "no longer exists" in refused.err) == (1, True)


def test_a_person_is_asked(operator: Operator) -> None:
    """No means no, Ctrl-C is an interruption; the summary is there to decide by."""
    code, said = _answered(operator, b"n\n")
    assert (code, said.endswith("nothing was replayed\n")) == (1, True)
    for number in (signal.SIGINT, signal.SIGTERM):
        code, said = _answered(operator, number)
        assert (code, said.endswith("\nnothing was replayed\n")) == (130, True)
    assert not operator.replays()
    assert _answered(operator, b"y\n")[0] == 0
    assert len(operator.replays()) == 12


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_end_it_between_two_transactions(
    operator: Operator, tmp_path: Path, number: signal.Signals
) -> None:
    """Exit code 130; what was done is told and is not done again."""
    log = tmp_path / "replay.log"
    process = operator.start("replay", "--all", "--yes", "--json", "--rate", "1", log=log)
    wait_until(lambda: log.read_text().count("fate") >= 1, 30, "it replays")
    process.send_signal(number)
    assert process.wait(30) == 130
    text = log.read_text()
    assert f"replayed {len(operator.replays())}\n" in text
    assert "run the same command again" in text
    assert "Traceback" not in text
    assert operator.dlq("replay", "--all", "--yes").code == 0
    places = [replay.header("x-replay-of") for replay in operator.replays()]
    assert sorted(str(place) for place in places) == sorted(f"0:{n}" for n in range(12))


def test_an_edit_is_of_the_one_letter_that_was_read(operator: Operator, tmp_path: Path) -> None:
    """Its request gets another dead letter while the operator writes: that one is left alone."""
    world = operator.world
    editor = tmp_path / "editor.py"
    editor.write_text(
        "import pathlib, sys\n"
        "from confluent_kafka import Producer\n"
        f"producer = Producer({{'bootstrap.servers': '{world.bootstrap}', 'log_level': 0}})\n"
        f"story = {{'topic': '{world.requested}', 'partition': '0', 'offset': '107'}}\n"
        "headers = [('x-dlq-' + name, text) for name, text in story.items()]\n"
        "body = pathlib.Path(sys.argv[1])\n"
        f"producer.produce('{world.dlq}', body.read_bytes(), partition=0, headers=headers)\n"
        "assert producer.flush(20) == 0\n"
        "body.write_text(body.read_text().replace('\"a\"', '\"owl\"'))\n"
    )
    request, editing = f"{world.requested}/0/107", f"{sys.executable} {editor}"
    told = operator.dlq("replay", request, "--edit", "--yes", EDITOR=editing)
    assert told.code == 0, told.err
    assert references(operator, "--code", "unknown") == ["0:12"]
    (replay,) = operator.replays()
    assert (replay.header("x-replay-of"), b"owl" in (replay.value or b"")) == ("0:7", True)


def test_without_the_topic_of_marks_letters_are_listed_but_not_replayed(
    operator: Operator,
) -> None:
    """It says how to create the topic."""
    operator.settings["JIRAIYA_TOPICS__MARKS"] = "none.such"
    assert len(references(operator)) == 12
    told = operator.dlq("replay", "--all", "--yes")
    assert (told.code, "none.such" in told.err, "topics apply" in told.err) == (1, True, True)


def _answered(operator: Operator, answer: bytes | signal.Signals) -> tuple[int, str]:
    """Replay everything as a person at a terminal would; return the exit code and what was said."""
    said = operator.world.folder / "said"
    ours, theirs = pty.openpty()
    try:
        with said.open("wb") as file:
            process = subprocess.Popen(
                operator.command("dlq", "replay", "--all"),
                env=operator.environment(),
                cwd=operator.world.folder,
                stdin=theirs,
                stdout=subprocess.DEVNULL,
                stderr=file,
            )
        wait_until(lambda: "replay 12?" in said.read_text(), 60, "it asks")
        if isinstance(answer, bytes):
            os.write(ours, answer)
        else:
            process.send_signal(answer)
        return process.wait(60), said.read_text()
    finally:
        os.close(ours)
        os.close(theirs)
