"""From an outcome to the records that commit with the request's progress."""

from dataclasses import dataclass

from jiraiya_events.contract.dead_letters import (
    PREFIX,
    Death,
    dead_letter_headers,
    only_dead_letter_headers,
    truncated_headers,
)
from jiraiya_events.contract.dropped_key import dropped_key_headers
from jiraiya_events.contract.envelope import Envelope
from jiraiya_events.contract.events import encode_outcome
from jiraiya_events.contract.trace import TraceContext
from jiraiya_events.domain.codes import ErrorCode
from jiraiya_events.domain.outcome import Outcome, StoryFailed
from jiraiya_events.engine.records import Output, Record
from jiraiya_events.handlers.outcomes import reference
from jiraiya_events.handlers.rules import Rules


@dataclass(frozen=True, slots=True)
class Publication:
    """What is known when the outputs of one record are made."""

    record: Record
    envelope: Envelope
    outcome: Outcome
    trace: TraceContext
    now: float
    unread: bool = False
    """The record was given up without a look at its value."""

    def outputs(self, rules: Rules) -> list[Output]:
        """Return the terminal event and, for a failure that is kept, the dead letter."""
        event = self._terminal_event(rules)
        outcome = self.outcome
        if isinstance(outcome, StoryFailed) and outcome.dlq_reference == reference(self.envelope):
            return [event, self._dead_letter(outcome, rules)]
        return [event]

    def _terminal_event(self, rules: Rules) -> Output:
        outcome = self.outcome
        conflict = isinstance(outcome, StoryFailed) and (
            outcome.error.code is ErrorCode.DUPLICATE_CONFLICT
        )
        event = encode_outcome(
            self.envelope,
            outcome,
            now=self.now,
            trace=self.trace,
            conflict_body=(self.record.value or b"") if conflict else None,
        )
        failed = isinstance(outcome, StoryFailed)
        topic = rules.topics.failed if failed else rules.topics.generated
        output = Output(topic, self.record.key, event.value, event.headers)
        output.smaller = _without_key(output)
        return output

    def _dead_letter(self, outcome: StoryFailed, rules: Rules) -> Output:
        """Return the original record with why it died; made smaller when the broker says so."""
        record = self.record
        death = Death(
            code=outcome.error.code,
            message=outcome.error.message,
            tries=outcome.tries,
            failed_at=self.now,
            service_version=rules.service_version,
            unread=self.unread or self.envelope.unread,
        )
        headers = dead_letter_headers(record, self.envelope, death)
        shorter = truncated_headers(headers, record.value)
        topic = rules.topics.dlq
        headerless = Output(topic, record.key, None, only_dead_letter_headers(shorter))
        headerless.smaller = _without_key(headerless, PREFIX)
        truncated = Output(topic, record.key, None, shorter, smaller=headerless)
        return Output(topic, record.key, record.value, headers, smaller=truncated)


def _without_key(output: Output, prefix: str = "x-") -> Output | None:
    """Return the last resort: the key may have come compressed, or where there was more room."""
    if not output.key:
        return None
    headers = (*output.headers, *dropped_key_headers(output.key, prefix))
    return Output(output.topic, None, output.value, headers)
