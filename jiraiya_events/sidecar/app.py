"""The sidecar's HTTP application: health, version, metrics and the contract."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from prometheus_client import CollectorRegistry
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from jiraiya_events.domain.clock import Clock, SystemClock
from jiraiya_events.sidecar.contract_routes import contract_routes
from jiraiya_events.sidecar.envelope import Envelope
from jiraiya_events.sidecar.health import HealthSource
from jiraiya_events.sidecar.problems import Problem, problem
from jiraiya_events.sidecar.status_routes import status_routes


def sidecar_app(
    *,
    health: HealthSource,
    registry: CollectorRegistry,
    asyncapi: dict[str, Any],
    build: Mapping[str, str],
    clock: Clock | None = None,
) -> FastAPI:
    """Return the application; `build` is what `/version` says, `asyncapi` the whole document."""
    # FastAPI's own pages load their scripts from a CDN.
    app = FastAPI(
        title="Jiraiya",
        version=build.get("version", "0"),
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.add_middleware(Envelope)
    app.add_exception_handler(HTTPException, _http_problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.include_router(status_routes(health, registry, build, clock or SystemClock()))
    app.include_router(contract_routes(asyncapi))
    return app


async def _http_problem(request: Request, error: Exception) -> Problem:
    if not isinstance(error, HTTPException):
        raise error
    detail = str(error.detail)
    if detail == HTTPStatus(error.status_code).phrase:
        detail = f"{request.method} {request.url.path}: {detail.lower()}."
    return problem(request, error.status_code, detail, headers=error.headers)


async def _invalid(request: Request, error: Exception) -> Response:
    fields = []
    if isinstance(error, RequestValidationError):
        # Only where and what: the value itself may be a secret.
        fields = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
    return problem(request, 422, "; ".join(fields) or "The request is invalid.")
