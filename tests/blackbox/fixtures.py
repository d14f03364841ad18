"""The world as a fixture."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.blackbox.world import World


@pytest.fixture
def world(kafka_bootstrap: str, tmp_path: Path) -> Iterator[World]:
    """Give the test topics, a group, a store and an endpoint of its own."""
    with World(kafka_bootstrap, tmp_path) as world:
        world.create_topics()
        yield world
