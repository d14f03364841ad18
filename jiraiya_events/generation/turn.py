"""One call of the generator: the request, what it has used, and until when it may go on."""

from dataclasses import dataclass

from jiraiya_events.domain.identity import RequestIdentity
from jiraiya_events.domain.request import StoryRequested
from jiraiya_events.generation.breaker import Breaker
from jiraiya_events.generation.progress import Progress


@dataclass(frozen=True, slots=True)
class Turn:
    """`deadline` is in seconds since the Unix epoch."""

    request: StoryRequested
    identity: RequestIdentity
    fingerprint: str
    progress: Progress
    deadline: float
    model: str
    breaker: Breaker
