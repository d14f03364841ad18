"""What the faulty endpoint does with one call: admit it, wait, and act out its fault."""

import asyncio
import json
import math
import re
from typing import Final

from aiohttp import web
from pydantic import ValidationError

from jiraiya_events.testing.call_stats import CallStats
from jiraiya_events.testing.completions import MODEL, chunks, completion, error_event
from jiraiya_events.testing.fault_plan import FaultPicker, FaultPlan
from jiraiya_events.testing.faults import MARK, REFUSALS, Fault
from jiraiya_events.testing.moderations import moderation

_MARKER: Final = re.compile(rb"(?<![A-Za-z0-9])k-[A-Za-z0-9_.:-]{1,64}")
# The prompt is JSON within JSON, so its quotes arrive escaped.
_LENGTH: Final = re.compile(rb'\\?"length\\?": ?\\?"(short|medium|long)')
# A streamed answer stops in its middle.
_HALVED: Final = (Fault.DROP_AFTER_HEADERS, Fault.STREAM_ERROR, Fault.STALL)
_STREAMED: Final = re.compile(rb'"stream": ?true')
_WORDS: Final = {b"short": 200, b"medium": 500, b"long": 1000}


class FaultyEndpoint:
    """The endpoint's behaviour and memory; `serve_faulty` puts it on a port."""

    def __init__(self, plan: FaultPlan | None = None) -> None:
        self.base_url = ""
        self.stats = CallStats()
        self._picker = FaultPicker(plan or FaultPlan())
        self._released = asyncio.Event()
        self._follow_hold()

    @property
    def plan(self) -> FaultPlan:
        """The plan in force."""
        return self._picker.plan

    def configure(self, **changes: object) -> FaultPlan:
        """Change the named fields of the plan; scripts and dice start anew.

        Raises:
            pydantic.ValidationError: a field or its value is unknown.
        """
        plan = FaultPlan.model_validate({**self.plan.model_dump(), **changes})
        self._picker = FaultPicker(plan)
        self._follow_hold()
        return plan

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one HTTP request."""
        match (request.method, request.path):
            case ("POST", "/v1/chat/completions"):
                return await self._complete(request)
            case ("POST", "/v1/moderations"):
                return await self._moderate(request)
            case ("GET", "/v1/models"):
                model = {"id": MODEL, "object": "model", "created": 0, "owned_by": "tests"}
                return web.json_response({"object": "list", "data": [model]})
            case ("GET", "/_stats"):
                return web.json_response(self.stats.snapshot())
            case ("POST", "/_control"):
                return await self._control(request)
            case _:
                return web.json_response({"error": {"message": "no such path"}}, status=404)

    def _follow_hold(self) -> None:
        if self.plan.hold:
            self._released.clear()
        else:
            self._released.set()

    async def _control(self, request: web.BaseRequest) -> web.Response:
        try:
            changes = json.loads(await request.read())
            reset = changes.pop("reset_stats", False)
            plan = self.configure(**changes)
        except (ValidationError, ValueError, TypeError, AttributeError) as error:
            return web.json_response({"error": {"message": str(error)}}, status=400)
        if reset:
            self.stats = self.stats.fresh()
        return web.json_response(plan.model_dump(mode="json"))

    async def _complete(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        marker = _MARKER.search(body)
        key = marker[0].decode("ascii") if marker else None
        self.stats.arrived(key)
        if not self._admits():
            self.stats.refused_admission += 1
            return self._refusal(Fault.RATE_LIMIT)
        fault = self._picker.fault(key)
        self.stats.entered(fault)
        try:
            await asyncio.sleep(self._picker.latency(key))
            await self._released.wait()
            return await self._act(fault, request, body, key)
        except (asyncio.CancelledError, ConnectionError):
            self.stats.aborted += 1
            raise
        finally:
            self.stats.left()

    async def _moderate(self, request: web.BaseRequest) -> web.StreamResponse:
        asked = json.loads(await request.read())
        self.stats.moderations += 1
        fault = self._picker.moderation_fault()
        if fault is Fault.HANG:
            await asyncio.Event().wait()
        if fault is Fault.DROP_BEFORE_HEADERS:
            return _drop(request, web.Response())
        if fault in REFUSALS:
            return self._refusal(fault)
        return web.json_response(moderation(asked["input"], self.plan))

    def _admits(self) -> bool:
        limit = self.plan.admission_limit
        return limit is None or self.stats.in_flight < limit

    async def _act(
        self, fault: Fault, request: web.BaseRequest, body: bytes, key: str | None
    ) -> web.StreamResponse:
        if fault is Fault.HANG:
            await _silence()
        if fault is Fault.DROP_BEFORE_HEADERS:
            return _drop(request, web.Response())
        if fault in REFUSALS:
            return self._refusal(fault)
        words = self.plan.words or _asked_words(body)
        as_json = b'"response_format"' in body
        if _STREAMED.search(body):
            return await self._stream(fault, request, chunks(fault, words, as_json=as_json), key)
        if fault is Fault.STREAM_ERROR:
            return self._refusal(Fault.ERROR_BODY)
        before, after = completion(fault, words, as_json=as_json)
        whole = before + (key or "you").encode() + after if after else before
        if fault in _HALVED:
            return await _half(fault, request, whole)
        if fault is Fault.OK:
            self.stats.told(key)
        return web.Response(body=whole, headers=self._headers(), content_type="application/json")

    async def _stream(
        self, fault: Fault, request: web.BaseRequest, events: tuple[bytes, ...], key: str | None
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers=self._headers())
        response.content_type = "text/event-stream"
        await response.prepare(request)
        mark, name = MARK.encode(), (key or "you").encode()
        for event in events[: len(events) // 2] if fault in _HALVED else events:
            await response.write(event.replace(mark, name))
        if fault is Fault.STREAM_ERROR:
            await response.write(error_event())
        if fault is Fault.STALL:
            await _silence()
        if fault is Fault.DROP_AFTER_HEADERS:
            return _drop(request, response)
        await response.write_eof()
        if fault is Fault.OK:
            self.stats.told(key)
        return response

    def _refusal(self, fault: Fault) -> web.Response:
        refused = REFUSALS[fault]
        headers = self._headers()
        if fault is Fault.RATE_LIMIT:
            headers["Retry-After"] = str(math.ceil(self.plan.retry_after_s))
            headers["retry-after-ms"] = str(round(self.plan.retry_after_s * 1000))
        headers["Content-Type"] = refused.content_type
        return web.Response(status=refused.status, body=refused.body, headers=headers)

    def _headers(self) -> dict[str, str]:
        headers = {"x-request-id": f"req-{self.stats.calls}"}
        limit = self.plan.admission_limit
        if limit is not None:
            headers["x-ratelimit-limit-requests"] = str(limit)
            headers["x-ratelimit-remaining-requests"] = str(max(0, limit - self.stats.in_flight))
            headers["x-ratelimit-reset-requests"] = f"{self.plan.retry_after_s:g}s"
        return headers


def _asked_words(body: bytes) -> int:
    asked = _LENGTH.search(body)
    return _WORDS[asked[1] if asked else b"short"]


def _drop(request: web.BaseRequest, response: web.StreamResponse) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return response


async def _silence() -> None:
    """Wait until the client hangs up."""
    await asyncio.Event().wait()


async def _half(fault: Fault, request: web.BaseRequest, whole: bytes) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": str(len(whole))})
    response.content_type = "application/json"
    await response.prepare(request)
    await response.write(whole[: len(whole) // 2])
    if fault is Fault.STALL:
        await _silence()
    # Let the half leave before the connection is torn down under it.
    await asyncio.sleep(0)
    return _drop(request, response)
