"""From a piece of a story to the record that carries it; best effort, outside transactions."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from jiraiya_events.contract.envelope import Envelope
from jiraiya_events.contract.events import encode_progress
from jiraiya_events.contract.trace import TraceContext
from jiraiya_events.domain.clock import Clock
from jiraiya_events.domain.request import StoryRequested
from jiraiya_events.domain.signals import StoryProgress
from jiraiya_events.engine.records import Output, Record
from jiraiya_events.generation.safety.beginning import Beginning
from jiraiya_events.handlers.progress_feed import ProgressFeed


class ProgressSink(Protocol):
    """Where the progress of stories goes."""

    def publish(self, output: Output) -> None:
        """Take one event; never blocks, never raises, and may lose it.

        Events of one request stay in order as far as they arrive.
        """
        ...


@dataclass(frozen=True, slots=True)
class ProgressFeeds:
    """Opens the feed of each request that asked for one; `topic` is the one of the progress.

    `beginning` gives what checks a request's story while it is written. With `withheld` stories are
    said only when they have passed every check.
    """

    sink: ProgressSink
    topic: str
    clock: Clock
    beginning: Callable[[StoryRequested], Beginning] | None = None
    withheld: bool = False

    def open(
        self, record: Record, envelope: Envelope, request: StoryRequested, trace: TraceContext
    ) -> ProgressFeed:
        """Return the feed of the request in `record`; `trace` is where its events belong."""
        beginning = None if self.beginning is None else self.beginning(request)

        def send(progress: StoryProgress) -> None:
            event = encode_progress(envelope, progress, now=self.clock.now(), trace=trace)
            self.sink.publish(Output(self.topic, record.key, event.value, event.headers))

        return ProgressFeed(
            envelope.identity.id,
            send,
            fit=None if beginning is None else beginning.passes,
            withheld=self.withheld,
        )
