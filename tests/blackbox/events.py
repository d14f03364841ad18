"""The examiner's look at one terminal event: key, headers, identity, schema."""

import json
import re
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator

from tests.blackbox.expected import Expected, expected_event_id, expected_of, is_credential
from tests.blackbox.messages import Seen

SCHEMAS: Final = Path(__file__).parents[2] / "schemas"
TYPES: Final = {"generated": "com.kuybi.story.generated.v1", "failed": "com.kuybi.story.failed.v1"}
_TRACEPARENT: Final = re.compile(r"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


def event_problems(kind: str, event: Seen, request: Seen | None) -> list[str]:
    """Return everything that is wrong with an event, apart from its being there."""
    errors = _validator(kind).iter_errors(event.body)
    problems = [f"{error.json_path}: {error.message}" for error in errors]
    if request is None:
        return problems
    if event.key != request.key:
        problems.append(f"key {event.key!r} is not the request's {request.key!r}")
    expected = expected_of(request)
    return problems + _header_problems(kind, event, request, expected)


def _header_problems(kind: str, event: Seen, request: Seen, expected: Expected) -> list[str]:
    conflict = kind == "failed" and event.body["error"]["code"] == "duplicate_conflict"
    more = (sha256(request.value or b"").hexdigest(),) if conflict else ()
    wanted = {
        "content-type": "application/json",
        "ce_specversion": "1.0",
        "ce_id": expected_event_id(expected, TYPES[kind], *more),
        "ce_source": "/jiraiya",
        "ce_type": TYPES[kind],
        "ce_subject": event.body.get("request_id"),
        "ce_dataschema": _schema(kind)["$id"],
        "ce_correlationid": expected.correlation_id,
        "ce_causationid": expected.id,
        "ce_sequence": f"{request.offset:020d}",
        "x-request-partition": str(request.partition),
        "correlation_id": expected.correlation_id,
        **expected.passed_on,
    }
    problems = [
        f"header {name} is {event.header(name)!r}, not {text!r}"
        for name, text in wanted.items()
        if event.header(name) != text
    ]
    return [*problems, *_time_problems(event), *_trace_problems(event, expected), *_leaks(event)]


def _time_problems(event: Seen) -> list[str]:
    text = event.header("ce_time") or ""
    try:
        utc = datetime.fromisoformat(text).utcoffset()
    except ValueError:
        return [f"ce_time {text!r} is no RFC 3339 time"]
    return [] if utc is not None and not utc else [f"ce_time {text!r} is not UTC"]


def _trace_problems(event: Seen, expected: Expected) -> list[str]:
    trace = _TRACEPARENT.fullmatch(event.header("traceparent") or "")
    if trace is None:
        return [f"traceparent is {event.header('traceparent')!r}"]
    if expected.trace_id is not None and trace[1] != expected.trace_id:
        return [f"trace {trace[1]} does not continue {expected.trace_id}"]
    return []


def _leaks(event: Seen) -> list[str]:
    return [f"header {name} leaks" for name, _ in event.headers if is_credential(name)]


@cache
def _schema(kind: str) -> dict[str, Any]:
    text = (SCHEMAS / f"story.{kind}.v1.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


@cache
def _validator(kind: str) -> Draft202012Validator:
    checker = Draft202012Validator.FORMAT_CHECKER
    return Draft202012Validator(_schema(kind), format_checker=checker)
