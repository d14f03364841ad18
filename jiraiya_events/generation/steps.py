"""What one call of the generator led to: a story, an end, or a reason to wait."""

from dataclasses import dataclass

from jiraiya_events.domain.codes import ErrorCode, Stage
from jiraiya_events.domain.outcome import Source
from jiraiya_events.domain.story import Safety, Story


@dataclass(frozen=True, slots=True)
class Written:
    """A story that passed the checks."""

    story: Story
    model: str
    provider: str
    prompt_version: str
    source: Source
    safety: Safety


@dataclass(frozen=True, slots=True)
class Rejected:
    """The end of this request; `message` is safe to show its user."""

    code: ErrorCode
    message: str
    stage: Stage
    retry_after_ms: int | None = None


@dataclass(frozen=True, slots=True)
class TryAgain:
    """Wait this many seconds in the lane, never past the deadline, then try again."""

    after_s: float
    code: ErrorCode


@dataclass(frozen=True, slots=True)
class AwaitBreaker:
    """No call is allowed now: park until a breaker that stands for `place` moves.

    A place is the head of a chain: whoever in it may be asked again, the request goes on.
    """

    code: ErrorCode
    place: str


@dataclass(frozen=True, slots=True)
class AwaitSlot:
    """The model has as many calls under way as it can take: park until one of them ends."""

    model: str


@dataclass(frozen=True, slots=True)
class AwaitStore:
    """The budget cannot be read: look again in so many seconds, no try is used."""

    after_s: float


@dataclass(frozen=True, slots=True)
class UnderWay:
    """Another turn has the request's lease: look again in so many seconds, no try is used."""

    after_s: float


Step = Written | Rejected | TryAgain | AwaitBreaker | AwaitSlot | AwaitStore | UnderWay
