"""Errors as RFC 9457 problem details, each with a `code` and the request's correlation id."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse

CODES: Final = {
    400: "invalid_request",
    404: "not_found",
    405: "method_not_allowed",
    411: "length_required",
    413: "payload_too_large",
    422: "invalid_request",
    500: "internal",
    503: "unavailable",
}


class Problem(JSONResponse):
    """An `application/problem+json` answer."""

    media_type = "application/problem+json"


def problem(
    request: Request,
    status: int,
    detail: str,
    *,
    code: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Problem:
    """Return the problem `status`; `detail` is safe to show whoever asked."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code or CODES.get(status, "error"),
        "correlation_id": request.scope.get("correlation_id"),
    }
    return Problem(body, status_code=status, headers=headers)
