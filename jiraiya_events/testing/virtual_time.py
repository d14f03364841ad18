"""An event loop whose time is virtual: waiting costs nothing and is exact.

When nothing can run, time jumps to the next timer. A coroutine that waits for something that
can never happen raises `Stuck` instead of hanging. Only for code without threads or sockets.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


class Stuck(RuntimeError):
    """Nothing is runnable and no timer is set: the test would wait for ever."""


class _JumpingSelector(selectors.DefaultSelector):
    """Instead of waiting for `timeout` seconds, tells the loop that they have passed."""

    loop: "VirtualTimeLoop"

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready:
            return ready
        if timeout is None:
            msg = "nothing can run and no timer is set"
            raise Stuck(msg)
        self.loop.jump(timeout)
        return []


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An asyncio loop that starts at second 0 and jumps from timer to timer."""

    def __init__(self) -> None:
        selector = _JumpingSelector()
        selector.loop = self
        self._now = 0.0
        super().__init__(selector)

    def time(self) -> float:
        """Return virtual seconds since the loop was made."""
        return self._now

    def jump(self, seconds: float) -> None:
        """Let time pass."""
        self._now += max(0.0, seconds)


class LoopClock:
    """A `Clock` on the running loop's time, `epoch` seconds after 1970 at its start."""

    def __init__(self, epoch: float = 1_800_000_000.0) -> None:
        self._epoch = epoch

    def now(self) -> float:
        """Return seconds since the Unix epoch."""
        return self._epoch + asyncio.get_running_loop().time()


def run_virtual(main: Coroutine[Any, Any, Result]) -> Result:
    """Run `main` to its end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)
