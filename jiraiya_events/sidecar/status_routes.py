"""`/health/*`, `/version` and `/metrics`: what probes and scrapers ask for."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from fastapi import APIRouter, Request
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.responses import JSONResponse, Response

from jiraiya_events.domain.clock import Clock
from jiraiya_events.sidecar.health import Check, HealthSource, Status, health_body


def status_routes(
    health: HealthSource, registry: CollectorRegistry, build: Mapping[str, str], clock: Clock
) -> APIRouter:
    """Return the open routes about this process."""
    router = APIRouter(tags=["status"])

    def answer(checks: Sequence[Check]) -> JSONResponse:
        body = health_body(checks, clock.now())
        failing = body["status"] == Status.FAILING
        status = HTTPStatus.SERVICE_UNAVAILABLE if failing else HTTPStatus.OK
        return JSONResponse(body, status_code=status)

    @router.get("/health/live")
    async def live() -> JSONResponse:
        return answer(health.live())

    @router.get("/health/startup")
    async def startup() -> JSONResponse:
        return answer(health.startup())

    @router.get("/health/ready")
    async def ready() -> JSONResponse:
        return answer(health.ready())

    @router.get("/version")
    async def version() -> JSONResponse:
        return JSONResponse(dict(build))

    @router.get("/metrics")
    async def metrics(request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), headers={"content-type": content_type, "vary": "accept"})

    return router
