"""`request` and `tail` with a service and its topics."""

from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest

from jiraiya_events.client import StoryClient
from jiraiya_events.contract.topics import Topics
from jiraiya_events.domain.errors import BrokerUnavailable
from jiraiya_events.domain.request import StoryRequested
from tests.blackbox.reader import TopicReader
from tests.blackbox.world import World
from tests.unit.cli.command_line import jiraiya


def topics_of(world: World) -> Topics:
    return Topics(
        requested=world.requested, generated=world.generated, failed=world.failed, dlq=world.dlq
    )


def test_a_request_waits_for_its_story(world: World, tmp_path: Path) -> None:
    """The story goes to stdout, all else to stderr; a failure is exit code 1."""
    service = world.serve()
    settings = service.settings
    told = jiraiya(
        "request", "lantern", "fox", "--user", "mina", "--wait", cwd=tmp_path, settings=settings
    )
    assert told.code == 0, told.err
    assert len(told.out) > 200
    assert "words" in told.err
    row = jiraiya("request", "owl", "--wait", "--json", cwd=tmp_path, settings=settings).rows[0]
    assert row["topic"] == world.generated
    assert row["headers"]["traceparent"].startswith("00-")
    refused = jiraiya(
        "request", "owl", "--model", "unheard-of", "--wait", cwd=tmp_path, settings=settings
    )
    assert (refused.code, refused.out) == (1, "")
    assert "invalid_event" in refused.err


def test_tail_shows_what_was_published(world: World, tmp_path: Path) -> None:
    """Stories, failures and dead letters, from the start, and as many as asked for."""
    settings = world.serve().settings
    jiraiya("request", "owl", "--wait", cwd=tmp_path, settings=settings)
    jiraiya("request", "owl", "--model", "no", "--wait", cwd=tmp_path, settings=settings)
    both = jiraiya("tail", "--from-start", "-n", "2", "--json", cwd=tmp_path, settings=settings)
    assert {row["topic"] for row in both.rows} == {world.generated, world.failed}
    dead = jiraiya("tail", "dlq", "--from-start", "-n", "1", cwd=tmp_path, settings=settings)
    assert dead.code == 0
    assert "invalid_event" in dead.out


def test_the_same_id_again_gets_the_same_story(world: World, tmp_path: Path) -> None:
    """A resend is answered from the store and costs nothing."""
    settings = world.serve().settings
    arguments = ("request", "owl", "--id", "mine", "--wait", "--json")
    first, second = (jiraiya(*arguments, cwd=tmp_path, settings=settings).rows[0] for _ in range(2))
    assert first["value"]["story"] == second["value"]["story"]
    assert first["headers"]["ce_id"] == second["headers"]["ce_id"]
    assert second["value"]["source"] == "result_store"


class Collector(BaseHTTPRequestHandler):
    """Takes spans and keeps their bytes."""

    taken: ClassVar[list[bytes]] = []

    def do_POST(self) -> None:
        """Take them."""
        self.taken.append(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Stay silent."""


def test_publishing_opens_a_span_that_the_record_carries(world: World, tmp_path: Path) -> None:
    """With a collector named, the one `traceparent` on the record is that of the span sent."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        settings = {
            "JIRAIYA_KAFKA__BOOTSTRAP_SERVERS": world.bootstrap,
            "JIRAIYA_TOPICS__REQUESTED": world.requested,
            "JIRAIYA_TOPICS__GENERATED": world.generated,
            "JIRAIYA_TOPICS__FAILED": world.failed,
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
        }
        ended = jiraiya("request", "moon", cwd=tmp_path, settings=settings)
        server.shutdown()
        thread.join()
    assert ended.code == 0, ended.err
    with TopicReader(world.bootstrap, [world.requested]) as reader:
        (record,) = reader.to_the_end(20)
    (traceparent,) = [str(v) for name, v in record.headers if name == "traceparent"]
    assert bytes.fromhex(traceparent.split("-")[1]) in b"".join(Collector.taken)


async def test_without_a_service_nothing_comes_and_the_request_is_there(world: World) -> None:
    """Waiting ends when it should; what was published is in the topic."""
    options = {"bootstrap_servers": world.bootstrap}
    async with StoryClient(options, topics_of(world)) as client:
        wish = StoryRequested(user_id="u", keywords=["moon"], request_id="r-1")
        sent = await client.publish_request(wish)
        assert (sent.request_id, sent.offset) == ("r-1", 0)
        with pytest.raises(TimeoutError):
            await client.wait_outcome("r-1", 0.2)


def test_waiting_without_a_service_ends_soon_after_the_deadline(
    world: World, tmp_path: Path
) -> None:
    """What was asked for, and the time to publish an outcome."""
    told = jiraiya(
        "request", "owl", "--wait", "--timeout-s", "1", cwd=tmp_path, settings=world.settings()
    )
    assert (told.code, told.out) == (1, "")
    assert "no outcome within 3 s: is the service running?" in told.err


@pytest.mark.parametrize("kind", ["REQUESTED", "GENERATED", "FAILED"])
def test_a_request_names_the_topic_that_is_missing_and_what_creates_it(
    world: World, tmp_path: Path, kind: str
) -> None:
    """In one line, where Kafka itself is well; nothing is published."""
    absent = f"{world.name}.absent"
    settings = {**world.settings(), f"JIRAIYA_TOPICS__{kind}": absent}
    told = jiraiya("request", "owl", "--wait", cwd=tmp_path, settings=settings)
    (line,) = told.err.splitlines()
    assert (told.code, told.out) == (1, "")
    assert line.startswith(f"error: there is no topic {absent}: `jiraiya serve`")
    assert "`jiraiya topics apply`" in line


async def test_a_missing_topic_of_cancellations_is_named(world: World) -> None:
    """It is optional: only who cancels needs it."""
    topics = replace(topics_of(world), cancelled=f"{world.name}.absent")
    async with StoryClient({"bootstrap_servers": world.bootstrap}, topics) as client:
        with pytest.raises(BrokerUnavailable, match=rf"there is no topic {topics.cancelled}: "):
            await client.cancel("r-1")


async def test_a_missing_topic_is_named(kafka_bootstrap: str) -> None:
    """And never created by looking for it."""
    topics = Topics(generated="absent.generated", failed="absent.failed")
    for _ in range(2):
        with pytest.raises(BrokerUnavailable, match=r"absent\.failed, absent\.generated"):
            async with StoryClient({"bootstrap_servers": kafka_bootstrap}, topics):
                pass
