"""The ways a model endpoint fails, and what each looks like on the wire.

Status codes and bodies follow OpenAI's error reference,
https://platform.openai.com/docs/guides/error-codes
"""

import json
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

MARK: Final = "k-mark"


class Fault(StrEnum):
    """What happens to a call; the names are what `POST /_control` takes."""

    OK = "ok"
    RATE_LIMIT = "rate_limit"
    QUOTA = "insufficient_quota"
    ERROR_500 = "error_500"
    ERROR_502 = "error_502"
    ERROR_503 = "error_503"
    ERROR_504 = "error_504"
    TIMEOUT_408 = "timeout_408"
    CONFLICT_409 = "conflict_409"
    UNAUTHORIZED = "unauthorized_401"
    FORBIDDEN = "forbidden_403"
    NO_SUCH_MODEL = "model_not_found_404"
    BAD_REQUEST = "bad_request_400"
    UNPROCESSABLE = "unprocessable_422"
    NO_RESPONSE_FORMAT = "response_format_400"
    CONTEXT_LENGTH = "context_length_exceeded"
    HTML = "html"
    ERROR_BODY = "error_body"
    INVALID_JSON = "invalid_json"
    TRUNCATED = "truncated"
    NO_FINISH_REASON = "no_finish_reason"
    CONTENT_FILTER = "content_filter"
    REFUSAL = "refusal"
    EMPTY = "empty"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    DROP_BEFORE_HEADERS = "drop_before_headers"
    DROP_AFTER_HEADERS = "drop_after_headers"
    STREAM_ERROR = "stream_error"
    STALL = "stall"
    HANG = "hang"


@dataclass(frozen=True, slots=True)
class Refused:
    """An answer with an error status; the call is billed to nobody."""

    status: int
    body: bytes
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Completed:
    """A `200` whose message, finish reason or words are as the fault says."""

    finish_reason: str | None = "stop"
    content: str | None = None
    words: int | None = None
    extra: dict[str, Any] = field(default_factory=dict)


def _error(
    status: int, message: str, kind: str, code: str | None = None, param: str | None = None
) -> Refused:
    error = {"message": message, "type": kind, "param": param, "code": code}
    return Refused(status, json.dumps({"error": error}).encode())


_INVALID: Final = "invalid_request_error"
_HTML: Final = b"<!doctype html><html><body><h1>Welcome to the proxy</h1></body></html>"

REFUSALS: Final = MappingProxyType(
    {
        Fault.RATE_LIMIT: _error(
            429, "Rate limit reached for requests", "requests", "rate_limit_exceeded"
        ),
        Fault.QUOTA: _error(
            429, "You exceeded your current quota", "insufficient_quota", "insufficient_quota"
        ),
        Fault.ERROR_500: _error(500, "The server had an error", "server_error"),
        Fault.ERROR_502: Refused(502, b"<html>502 Bad Gateway</html>", "text/html"),
        Fault.ERROR_503: _error(503, "The engine is currently overloaded", "server_error"),
        Fault.ERROR_504: Refused(504, b"<html>504 Gateway Timeout</html>", "text/html"),
        Fault.TIMEOUT_408: _error(408, "Request timed out", "timeout"),
        Fault.CONFLICT_409: _error(409, "Conflict, please try again", "conflict"),
        Fault.UNAUTHORIZED: _error(401, "Incorrect API key provided", _INVALID, "invalid_api_key"),
        Fault.FORBIDDEN: _error(403, "You are not allowed to use this model", _INVALID),
        Fault.NO_SUCH_MODEL: _error(
            404, "The model does not exist", _INVALID, "model_not_found", "model"
        ),
        Fault.BAD_REQUEST: _error(400, "Invalid value", _INVALID, "invalid_value", "messages"),
        Fault.UNPROCESSABLE: _error(422, "Unprocessable entity", _INVALID),
        Fault.NO_RESPONSE_FORMAT: _error(
            400,
            "Invalid parameter: 'response_format' is not supported with this model",
            _INVALID,
            "unsupported_parameter",
            "response_format",
        ),
        Fault.CONTEXT_LENGTH: _error(
            400,
            "Your input exceeds the limit of this model",
            _INVALID,
            "context_length_exceeded",
            "messages",
        ),
        Fault.HTML: Refused(200, _HTML, "text/html; charset=utf-8"),
        Fault.ERROR_BODY: Refused(200, _error(500, "upstream failed", "server_error").body),
    }
)

COMPLETIONS: Final = MappingProxyType(
    {
        Fault.OK: Completed(),
        Fault.INVALID_JSON: Completed(content='{"title": "Half a story", "content": "Once'),
        Fault.TRUNCATED: Completed(finish_reason="length", words=120),
        Fault.NO_FINISH_REASON: Completed(finish_reason=None),
        Fault.CONTENT_FILTER: Completed(finish_reason="content_filter", content=""),
        Fault.REFUSAL: Completed(content="", extra={"refusal": "I cannot help with that."}),
        Fault.EMPTY: Completed(content=""),
        Fault.TOO_SHORT: Completed(words=12),
        Fault.TOO_LONG: Completed(words=4000),
        # Halfway through what would have been a good answer the connection is cut, an error
        # event comes, or nothing more does.
        Fault.DROP_AFTER_HEADERS: Completed(),
        Fault.STREAM_ERROR: Completed(),
        Fault.STALL: Completed(),
    }
)
