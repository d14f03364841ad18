"""Fixtures of the chaos tests."""

from tests.blackbox.fixtures import world

__all__ = ["world"]
