"""One call of the generator: the request, what it has used, and until when it may go on."""

from dataclasses import dataclass, replace

from jiraiya_events.domain.identity import RequestIdentity
from jiraiya_events.domain.request import StoryRequested
from jiraiya_events.generation.breaker import Breaker
from jiraiya_events.generation.candidates import Candidate
from jiraiya_events.generation.ports import Feed
from jiraiya_events.generation.progress import Progress, Used
from jiraiya_events.generation.prompt import Prompt


@dataclass(frozen=True, slots=True)
class Turn:
    """`deadline` is in seconds since the Unix epoch; `feed` hears the story while it is written.

    `candidate` is who is asked now, with its breaker; at first that is the head of the chain.
    """

    request: StoryRequested
    identity: RequestIdentity
    fingerprint: str
    progress: Progress
    deadline: float
    prompt: Prompt
    chain: tuple[Candidate, ...]
    candidate: Candidate
    breaker: Breaker
    feed: Feed | None = None
    reviews: str | None = None
    """Which text is looked at, while the moderation is asked."""

    @property
    def model(self) -> str:
        """The name of who is asked now."""
        return self.candidate.name

    @property
    def used(self) -> Used:
        """What its calls have used up."""
        if self.reviews is not None:
            return self.progress.reviewed(self.reviews)
        return self.progress.of(self.candidate.name)

    @property
    def published(self) -> bool:
        """Whether a part of the story has been published already."""
        return self.feed is not None and self.feed.published

    def on(self, candidate: Candidate, breaker: Breaker) -> "Turn":
        """Return this turn with another one to be asked."""
        if candidate is self.candidate:
            return self
        return replace(self, candidate=candidate, breaker=breaker)
