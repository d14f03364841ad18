"""What every request and answer goes through: correlation, limits, security headers, crashes."""

import re
import uuid
from typing import Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jiraiya_events.sidecar.problems import problem

LARGEST_BODY: Final = 1024 * 1024

_CORRELATION: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_HEADERS: Final = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}
_log: Final = structlog.get_logger("jiraiya.sidecar")


class Envelope:
    """An ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        correlation_id = _correlation_id(scope)
        scope = {**scope, "correlation_id": correlation_id}
        answer = _Answer(send, correlation_id, bodiless=scope["method"] == "HEAD")
        with structlog.contextvars.bound_contextvars(correlation_id=correlation_id):
            await self._answer(scope, receive, answer)

    async def _answer(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        refusal = _refusal(scope)
        if refusal is not None:
            await problem(Request(scope), *refusal)(scope, receive, answer.send)
            return
        if scope["method"] == "HEAD":
            # Whatever can be got can be asked about; the answer leaves the body out.
            scope = {**scope, "method": "GET"}
        try:
            await self._app(scope, receive, answer.send)
        except Exception:
            _log.exception("request crashed", path=scope["path"])
            if answer.begun:
                raise
            crashed = problem(Request(scope), 500, "The service failed to answer this request.")
            await crashed(scope, receive, answer.send)


class _Answer:
    def __init__(self, send: Send, correlation_id: str, *, bodiless: bool) -> None:
        self._send = send
        self._correlation_id = correlation_id
        self._bodiless = bodiless
        self.begun = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            headers = MutableHeaders(scope=message)
            headers["x-correlation-id"] = self._correlation_id
            headers.update(_HEADERS)
            headers.setdefault("cache-control", "no-store")
        elif self._bodiless:
            message = {**message, "body": b""}
        await self._send(message)


def _correlation_id(scope: Scope) -> str:
    given = Headers(scope=scope).get("x-correlation-id", "")
    return given if _CORRELATION.fullmatch(given) else str(uuid.uuid4())


def _refusal(scope: Scope) -> tuple[int, str] | None:
    headers = Headers(scope=scope)
    if "transfer-encoding" in headers:
        return 411, "Send the body with a Content-Length."
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > LARGEST_BODY:
        return 413, f"The body may have at most {LARGEST_BODY} bytes."
    return None
