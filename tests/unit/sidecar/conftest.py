"""A sidecar with a health that the test decides."""

from collections.abc import Sequence

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from jiraiya_events.adapters.telemetry.metrics import Metrics, new_registry
from jiraiya_events.contract.asyncapi import build_asyncapi
from jiraiya_events.contract.topics import Topics
from jiraiya_events.sidecar.app import sidecar_app
from jiraiya_events.sidecar.health import Check


class Health:
    """Answers every probe with the same checks."""

    def __init__(self, checks: list[Check]) -> None:
        self._checks = checks

    def live(self) -> Sequence[Check]:
        """Return the checks."""
        return self._checks

    startup = ready = live


class StillClock:
    """A clock that stands at 100 seconds."""

    def now(self) -> float:
        """Return the same second always."""
        return 100.0


@pytest.fixture
def checks() -> list[Check]:
    """What the probes find; a test fills it."""
    return []


@pytest.fixture
def app(checks: list[Check]) -> FastAPI:
    """The application over fresh metrics and our own contract."""
    registry = new_registry()
    Metrics(registry, version="1.2.3")
    return sidecar_app(
        health=Health(checks),
        registry=registry,
        asyncapi=build_asyncapi(Topics()),
        build={"version": "1.2.3"},
        clock=StillClock(),
    )


@pytest.fixture
def http(app: FastAPI) -> TestClient:
    """A client of the application; crashes come back as answers."""
    return TestClient(app, raise_server_exceptions=False)
