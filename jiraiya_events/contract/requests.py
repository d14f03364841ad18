"""Payloads that come in, checked against their models."""

from typing import Final, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from jiraiya_events.contract.envelope import Envelope
from jiraiya_events.contract.faults import describe, fields_at_fault
from jiraiya_events.domain.codes import ErrorCode, Stage
from jiraiya_events.domain.errors import RequestFailure
from jiraiya_events.domain.request import Metadata, StoryRequested
from jiraiya_events.domain.signals import StoryCancelled

Payload = TypeVar("Payload", bound=BaseModel)

_METADATA: Final = TypeAdapter(Metadata)


def read_request(envelope: Envelope) -> StoryRequested:
    """Return the request; raises RequestFailure, its message naming every field at fault."""
    return _read(envelope, StoryRequested)


def read_cancel(envelope: Envelope) -> StoryCancelled:
    """Return the cancellation; raises RequestFailure.

    It concerns the request with this event's `identity.source` and the payload's `request_id`;
    `ce_id` is here the cancellation's own.
    """
    return _read(envelope, StoryCancelled)


def echoed_metadata(envelope: Envelope) -> dict[str, str]:
    """Return the `metadata` an outcome echoes, also of a request that is invalid otherwise."""
    metadata = envelope.payload.get("metadata") if envelope.payload is not None else None
    if metadata is None:
        return {}
    try:
        return _METADATA.validate_python(metadata)
    except ValidationError:
        return {}


def _read(envelope: Envelope, model: type[Payload]) -> Payload:
    problem = envelope.problem
    if problem is not None:
        # A new one: raising what the envelope holds would tie it to the frames it passes, and
        # the record's bytes with them, until the collector comes by.
        raise RequestFailure(problem.code, problem.message, stage=problem.stage)
    try:
        return model.model_validate(envelope.payload)
    except ValidationError as error:
        message, fields = describe(error, model), fields_at_fault(error, model)
    raise RequestFailure(ErrorCode.INVALID_EVENT, message, stage=Stage.VALIDATE, fields=fields)
