"""The addresses at which a suite finds each of the stores, and the time that all of them obey."""

from pathlib import Path

import pytest

from tests.contracts.standing_clock import StandingClock, let_pass
from tests.redis_server import RedisServer


@pytest.fixture
def clock() -> StandingClock:
    """Return time that stands still."""
    return StandingClock()


@pytest.fixture(params=["memory", "sqlite", "redis"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path, clock: StandingClock) -> str:
    """Return the address of an empty store that obeys `clock`."""
    if request.param == "memory":
        return "memory://"
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'a folder' / 'results of today.db'}"
    server: RedisServer = request.getfixturevalue("redis_server")
    clock.when_it_passes = lambda seconds: let_pass(server, seconds)
    url: str = request.getfixturevalue("redis_url")
    return url
