"""Fixtures of the integration tests."""

from tests.blackbox.fixtures import world

__all__ = ["world"]
