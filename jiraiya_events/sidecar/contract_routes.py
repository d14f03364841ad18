"""`/asyncapi` as a page, as JSON and as YAML; written when first asked for, then kept."""

import json
from functools import cached_property
from importlib import resources
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from jiraiya_events.contract.asyncapi import asyncapi_text
from jiraiya_events.sidecar.asyncapi_page import STYLE_PATH, render_page

_FRESH: Final = {"cache-control": "no-cache"}


class _Forms:
    """One document in its three forms."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document

    @cached_property
    def page(self) -> bytes:
        return render_page(self._document).encode()

    @cached_property
    def json(self) -> bytes:
        return json.dumps(self._document, indent=2, ensure_ascii=False).encode()

    @cached_property
    def yaml(self) -> bytes:
        return asyncapi_text(self._document).encode()

    @cached_property
    def style(self) -> bytes:
        return resources.files(__package__).joinpath("asyncapi.css").read_bytes()


def contract_routes(document: dict[str, Any]) -> APIRouter:
    """Return the open routes of an AsyncAPI 3.0 document."""
    router = APIRouter(tags=["contract"])
    forms = _Forms(document)

    @router.get("/asyncapi")
    async def page() -> Response:
        return Response(forms.page, media_type="text/html", headers=_FRESH)

    @router.get("/asyncapi.json")
    async def as_json() -> Response:
        return Response(forms.json, media_type="application/json", headers=_FRESH)

    @router.get("/asyncapi.yaml")
    async def as_yaml() -> Response:
        return Response(forms.yaml, media_type="application/yaml", headers=_FRESH)

    @router.get(STYLE_PATH)
    async def style() -> Response:
        return Response(forms.style, media_type="text/css", headers=_FRESH)

    return router
