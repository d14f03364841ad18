"""Waiting for the outside world: polls with a deadline, never a fixed sleep."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

POLL_S = 0.05


def wait_until(look: Callable[[], T], timeout_s: float, what: str) -> T:
    """Return the first truthy answer of `look`; raises AssertionError after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while True:
        # Asked before the look: however long this process stood still, one look comes after it.
        late = time.monotonic() >= deadline
        if seen := look():
            return seen
        if late:
            msg = f"not within {timeout_s:g} s: {what}"
            raise AssertionError(msg)
        time.sleep(POLL_S)
