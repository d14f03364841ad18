"""Fixtures of the integration tests."""

from tests.blackbox.fixtures import world
from tests.integration.model_endpoint import chat, endpoint

__all__ = ["chat", "endpoint", "world"]
