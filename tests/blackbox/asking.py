"""Asking for stories in a test that asks more than once."""

from collections.abc import Iterable

from tests.blackbox.messages import Seen
from tests.blackbox.requests import Request
from tests.blackbox.world import World


def ask(world: World, requests: Iterable[Request], timeout_s: float = 20) -> list[Seen]:
    """Publish, and return the terminal events of these requests; nothing else may be under way."""
    before = len(world.outcomes(0, 1))
    asked = list(requests)
    world.publish(asked)
    return world.outcomes(before + len(asked), timeout_s)[before:]


def codes(events: Iterable[Seen]) -> list[str]:
    """Return the error codes of failed requests, sorted; `story` for a story."""
    bodies = [event.body for event in events]
    return sorted(body["error"]["code"] if "error" in body else "story" for body in bodies)
