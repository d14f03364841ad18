"""JSON Schemas of the headers, for AsyncAPI: what to send, what is sent, what a dead letter has."""

from typing import Any, Final

from jiraiya_events.contract.dead_letters import PREFIX
from jiraiya_events.contract.deadline import LONGEST_S
from jiraiya_events.contract.event_types import SOURCE, SPEC_VERSION, EventType
from jiraiya_events.domain.codes import ErrorCode

Schema = dict[str, Any]

_TRACEPARENT: Final = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
_MOMENT: Final = "2026-01-31T12:00:00.000Z"
_REQUEST_ID: Final = "5f0c6a52-3c52-4d0e-9a37-0c5d1f0f6a11"
_SOURCES: Final = {
    EventType.REQUESTED: "Who sends.",
    EventType.CANCELLED: "The source of the request that is withdrawn.",
}


def _text(description: str, **rules: object) -> Schema:
    return {"type": "string", "description": description, **rules}


def incoming_headers(kind: EventType) -> Schema:
    """Return what a requester may set; nothing of it is required."""
    return {
        "type": "object",
        "description": "All optional: a plain JSON record without headers is read as well.",
        "properties": {
            "content-type": _text(
                "`application/json`, or `application/cloudevents+json` for structured mode."
            ),
            "ce_specversion": _text("The version of CloudEvents.", const=SPEC_VERSION),
            "ce_id": _text("The id; with `ce_source` it names the event.", maxLength=128),
            "ce_source": _text(_SOURCES[kind], default="/unknown"),
            "ce_type": _text("The type and its major version.", const=kind.value),
            "ce_time": _text("When it happened.", format="date-time"),
            "ce_expirytime": _text(
                "Until when an answer is of use. A moment later than "
                f"{LONGEST_S:.0f} s after the record's timestamp counts as that one.",
                format="date-time",
            ),
            "ce_correlationid": _text(
                "Comes back in the outputs; else `correlation_id`, else `x-correlation-id`, else "
                "the payload's `correlation_id`, else the id."
            ),
            "correlation_id": _text("As `ce_correlationid`."),
            "traceparent": _text("W3C Trace Context; else `ce_traceparent`."),
            "tracestate": _text("W3C Trace Context."),
        },
    }


def outgoing_headers(kind: EventType) -> Schema:
    """Return what every output of this type carries."""
    properties = {
        "content-type": _text("The payload's form.", const="application/json"),
        "ce_specversion": _text("The version of CloudEvents.", const=SPEC_VERSION),
        "ce_id": _text("The same for the same source, id, attempt and type.", format="uuid"),
        "ce_source": _text("This service.", const=SOURCE),
        "ce_type": _text("The type and its major version.", const=kind.value),
        "ce_time": _text("When it was published.", format="date-time"),
        "ce_dataschema": _text("The payload's JSON Schema.", const=kind.schema_id),
        "ce_correlationid": _text("The request's correlation id."),
        "ce_causationid": _text("The request's id."),
        "ce_sequence": _text("The request's offset.", pattern="^[0-9]{20}$"),
        "x-request-partition": _text(
            "The request's partition; with `ce_sequence` it merges the output topics.",
            pattern="^[0-9]+$",
        ),
        "correlation_id": _text("As `ce_correlationid`."),
        "traceparent": _text("W3C Trace Context."),
    }
    optional = {
        "ce_subject": _text("The request's id; left out when it is unknown."),
        "tracestate": _text("W3C Trace Context."),
        **_dropped_key("x-"),
    }
    return {
        "type": "object",
        "description": "Up to 16 `x-` headers of the request follow.",
        "required": list(properties),
        "properties": properties | optional,
    }


def _dropped_key(prefix: str) -> Schema:
    return {
        f"{prefix}key-dropped": _text(
            "The topic had no room for the key: it is null.", const="true"
        ),
        f"{prefix}key-size": _text("Bytes of the key that was too large.", pattern="^[0-9]+$"),
        f"{prefix}key-sha256": _text("Its SHA-256.", pattern="^[0-9a-f]{64}$"),
    }


def dead_letter_headers_schema() -> Schema:
    """Return what is added to the original headers of a dead letter."""
    number = "^[0-9]+$"
    properties = {
        "x-dlq-topic": _text("The original topic."),
        "x-dlq-partition": _text("The original partition.", pattern=number),
        "x-dlq-offset": _text("The original offset.", pattern=number),
        "x-dlq-timestamp": _text("The original timestamp, in milliseconds.", pattern="^-?[0-9]+$"),
        "x-dlq-error-code": _text("Why.", enum=[code.value for code in ErrorCode]),
        "x-dlq-error-message": _text("Why, in words."),
        "x-dlq-tries": _text("Model calls of this attempt.", pattern=number),
        "x-dlq-failed-at": _text("When.", format="date-time"),
        "x-dlq-service-version": _text("The release that gave up."),
        "x-dlq-replay-count": _text("Replays before this one.", pattern=number),
    }
    optional = {
        "x-dlq-unread": _text(
            "The value was not looked into: it was too large even for that, or reading it may have "
            "ended the process. An id that stands only there is not known.",
            const="true",
        ),
        "x-dlq-truncated": _text("The value was too large and is null.", const="true"),
        "x-dlq-size": _text("Bytes of the value that was too large.", pattern=number),
        "x-dlq-sha256": _text("Its SHA-256.", pattern="^[0-9a-f]{64}$"),
        "x-dlq-headers-dropped": _text("The headers were too large as well.", const="true"),
        **_dropped_key(PREFIX),
    }
    return {
        "type": "object",
        "description": "Beside the original headers, less credentials.",
        "required": list(properties),
        "properties": properties | optional,
    }


def incoming_example(kind: EventType) -> dict[str, str]:
    """Return the headers of an example that comes in."""
    return {
        "content-type": "application/json",
        "ce_specversion": SPEC_VERSION,
        "ce_id": _REQUEST_ID,
        "ce_source": "/kuybi/backend",
        "ce_type": kind.value,
        "traceparent": _TRACEPARENT,
    }


def outgoing_example(kind: EventType) -> dict[str, str]:
    """Return the headers of an example that goes out."""
    return {
        "content-type": "application/json",
        "ce_specversion": SPEC_VERSION,
        "ce_id": "0a3f9d84-6c55-5b8f-9a2e-3f6d1c0b7e42",
        "ce_source": SOURCE,
        "ce_type": kind.value,
        "ce_subject": _REQUEST_ID,
        "ce_time": _MOMENT,
        "ce_dataschema": kind.schema_id,
        "ce_correlationid": _REQUEST_ID,
        "ce_causationid": _REQUEST_ID,
        "ce_sequence": "00000000000000001042",
        "x-request-partition": "3",
        "correlation_id": _REQUEST_ID,
        "traceparent": _TRACEPARENT,
    }
