"""A record's value as a JSON object: plain or binary as it is, structured from its `data`."""

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from pydantic_core import from_json

from jiraiya_events.domain.codes import ErrorCode, Stage
from jiraiya_events.domain.errors import RequestFailure

STRUCTURED: Final = "application/cloudevents+json"

LOOKED_INTO_BYTES: Final = 1024 * 1024
"""Up to here a value that is too large still tells whose it is."""

_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Body:
    """What the value held: a payload, or the problem that there is none, or none to be used."""

    payload: Mapping[str, object] | None = None
    attributes: Mapping[str, object] | None = None
    problem: RequestFailure | None = None


def read_body(value: bytes | None, content_type: str | None, max_event_bytes: int) -> Body:
    """Decode a value; never raises.

    One over `max_event_bytes` is a problem, whatever else it is; up to 1 MiB its payload is there
    all the same.
    """
    if value is None:
        return Body(problem=undecodable("value: null where a JSON object is needed"))
    if len(value) <= max_event_bytes:
        return _decoded(value, content_type)
    problem = _too_large(max_event_bytes)
    if len(value) > LOOKED_INTO_BYTES:
        return Body(problem=problem)
    return replace(_decoded(value, content_type), problem=problem)


def _decoded(value: bytes, content_type: str | None) -> Body:
    try:
        document = _json_object(value, "value")
    except RequestFailure as problem:
        return Body(problem=problem)
    if content_type is not None and _is_structured(content_type):
        return _structured(document)
    return Body(document)


def _is_structured(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == STRUCTURED


def _structured(document: Mapping[str, object]) -> Body:
    try:
        return Body(_data(document), document)
    except RequestFailure as problem:
        return Body(None, document, problem)


def _data(document: Mapping[str, object]) -> Mapping[str, object]:
    data = document.get("data")
    encoded = document.get("data_base64")
    if data is None and isinstance(encoded, str):
        try:
            return _json_object(b64decode(encoded, validate=True), "data_base64")
        except ValueError:
            message = "data_base64: not base64"
            raise undecodable(message) from None
    if not isinstance(data, dict):
        message = "data: a JSON object is needed"
        raise undecodable(message)
    return data


def _json_object(value: bytes, what: str) -> dict[str, object]:
    """Parse strictly: no NaN, no lone surrogate, no nesting beyond the parser's 200 levels."""
    try:
        document = from_json(value.removeprefix(_BOM), allow_inf_nan=False)
    except ValueError:
        message = f"{what}: not JSON in UTF-8, or nested too deeply"
        raise undecodable(message) from None
    if not isinstance(document, dict):
        message = f"{what}: a JSON object is needed"
        raise undecodable(message)
    return document


def undecodable(message: str) -> RequestFailure:
    """Return the failure of bytes that cannot be read as an event."""
    return RequestFailure(ErrorCode.INVALID_EVENT, message, stage=Stage.DECODE)


def _too_large(max_event_bytes: int) -> RequestFailure:
    message = f"value: more than {max_event_bytes} bytes"
    return RequestFailure(ErrorCode.PAYLOAD_TOO_LARGE, message, stage=Stage.DECODE)
