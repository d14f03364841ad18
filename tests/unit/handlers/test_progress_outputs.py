"""The records that carry the progress of a request."""

import json
from typing import Any

from jiraiya_events.contract.envelope import read_envelope
from jiraiya_events.contract.trace import TraceContext
from jiraiya_events.domain.clock import SystemClock
from jiraiya_events.domain.request import Audience, StoryRequested
from jiraiya_events.engine.records import Output, Record
from jiraiya_events.generation.safety.beginning import Beginning
from jiraiya_events.handlers.progress_outputs import ProgressFeeds
from jiraiya_events.testing.virtual_time import run_virtual
from tests.prompts import prompt

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
KEY = b"\xff user"


REQUEST = StoryRequested(user_id="u", keywords=["k"], audience=Audience.TEENS)


class Taken:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.outputs: list[Output] = []

    def publish(self, output: Output) -> None:
        self.outputs.append(output)


async def two_pieces(sink: Taken, **options: Any) -> None:
    """Publish the beginning and the end of a story for teens."""
    value = json.dumps({"request_id": "r1", "user_id": "u", "keywords": ["k"]}).encode()
    headers = (("x-tenant", b"north"), ("authorization", b"secret"))
    record = Record("story.requested", 2, 7, 1_000, KEY, value, headers)
    envelope = read_envelope(record, max_event_bytes=32_768)
    feeds = ProgressFeeds(sink, "story.progress", SystemClock(), **options)
    feed = feeds.open(record, envelope, REQUEST, TraceContext(PARENT))
    feed.text("Once.")
    feed.end("Once. Upon")


def test_an_event_carries_the_key_and_headers_of_every_output() -> None:
    """The key byte for byte; what `x-` headers pass on; the place in the trace."""
    sink = Taken()
    run_virtual(two_pieces(sink))
    first, last = sink.outputs
    assert {first.topic, last.topic} == {"story.progress"}
    assert {first.key, last.key} == {KEY}
    headers = dict(first.headers)
    assert headers["ce_type"] == b"com.kuybi.story.progress.v1"
    assert headers["ce_causationid"] == b"r1"
    assert headers["ce_sequence"] == b"00000000000000000007"
    assert headers["x-request-partition"] == b"2"
    assert headers["x-tenant"] == b"north"
    assert headers["traceparent"] == PARENT.encode()
    assert "authorization" not in headers
    assert headers["ce_id"] != dict(last.headers)["ce_id"]
    assert json.loads(last.value or b"") == {
        "request_id": "r1",
        "sequence": 1,
        "delta": " Upon",
        "final": True,
    }


def test_nothing_goes_out_that_its_request_s_checks_do_not_pass() -> None:
    """They are made for the request: its readers, and its own system text."""
    asked: list[StoryRequested] = []

    def beginning(request: StoryRequested) -> Beginning:
        asked.append(request)
        rules = prompt("one two three four five six seven eight", canary="once")
        return Beginning(request.audience, rules)

    sink = Taken()
    run_virtual(two_pieces(sink, beginning=beginning))
    assert asked == [REQUEST]
    assert [json.loads(output.value or b"")["delta"] for output in sink.outputs] == [""]


def test_what_is_withheld_comes_whole() -> None:
    """When the story has passed."""
    sink = Taken()
    run_virtual(two_pieces(sink, withheld=True))
    assert [json.loads(output.value or b"")["delta"] for output in sink.outputs] == ["Once. Upon"]
