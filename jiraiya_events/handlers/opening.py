"""A record's first turn: decode, validate, check what the user wrote, and open its case."""

import structlog

from jiraiya_events.contract.deadline import deadline_of
from jiraiya_events.contract.envelope import Envelope
from jiraiya_events.contract.requests import read_request
from jiraiya_events.contract.trace import TraceContext
from jiraiya_events.domain.clock import Clock
from jiraiya_events.domain.codes import ErrorCode, Stage
from jiraiya_events.domain.errors import RequestFailure
from jiraiya_events.domain.request import StoryRequested
from jiraiya_events.engine.verdicts import Work
from jiraiya_events.generation.progress import Progress
from jiraiya_events.generation.safety.input_check import Refused, check_request
from jiraiya_events.handlers.admission import Memory
from jiraiya_events.handlers.cancellations import Cancellations
from jiraiya_events.handlers.case import Case
from jiraiya_events.handlers.progress_feed import ProgressFeed
from jiraiya_events.handlers.progress_outputs import ProgressFeeds
from jiraiya_events.handlers.rules import Rules

log = structlog.get_logger(__name__)


class Opening:
    """Opens cases; `feeds` is None where nobody may follow a story while it is written."""

    def __init__(
        self,
        memory: Memory,
        clock: Clock,
        rules: Rules,
        cancellations: Cancellations,
        feeds: ProgressFeeds | None = None,
    ) -> None:
        self._memory = memory
        self._clock = clock
        self._rules = rules
        self._cancellations = cancellations
        self._feeds = feeds

    def open(self, work: Work, envelope: Envelope, fingerprint: str, trace: TraceContext) -> Case:
        """Return the case of a record. Raises `RequestFailure`."""
        request = _checked(self._read(envelope))
        envelope.forget_payload(request.metadata)
        now = self._clock.now()
        watched = self._cancellations.watch(envelope, work.record, now)
        return Case(
            envelope=envelope,
            request=request,
            fingerprint=fingerprint,
            deadline=deadline_of(envelope, request, self._rules.default_deadline_s, now),
            started_at=now,
            lease=self._memory.lease(envelope),
            watched=watched,
            progress=Progress.of_former_owner(work.tries, watched.withdrawal),
            feed=self._feed(work, envelope, request, trace),
        )

    def _read(self, envelope: Envelope) -> StoryRequested:
        request = read_request(envelope)
        if request.model is not None and request.model not in self._rules.allowed_models:
            message = "model: not on this service's list of models"
            raise RequestFailure(
                ErrorCode.INVALID_EVENT, message, stage=Stage.VALIDATE, fields=("model",)
            )
        return request

    def _feed(
        self, work: Work, envelope: Envelope, request: StoryRequested, trace: TraceContext
    ) -> ProgressFeed | None:
        if self._feeds is None or not request.stream:
            return None
        return self._feeds.open(work.record, envelope, request, trace)


def _checked(request: StoryRequested) -> StoryRequested:
    """Return the request as a model may see it. Raises `RequestFailure`: `prompt_rejected`."""
    passed = check_request(request, _tell_of_what_was_left_out)
    if isinstance(passed, Refused):
        log.warning("a request did not pass the input checks", patterns=passed.patterns)
        raise RequestFailure(passed.code, passed.message, stage=Stage.ADMIT)
    return passed


def _tell_of_what_was_left_out(patterns: tuple[str, ...]) -> None:
    log.info("sentences were left out of a request", patterns=patterns)
