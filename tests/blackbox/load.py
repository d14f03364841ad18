"""A steady stream of requests from a thread of its own, with seeded keys."""

import random
import threading
from types import TracebackType
from typing import Self

from tests.blackbox.requests import plain
from tests.blackbox.world import World

NULL_SHARE = 0.1
ENDLESS = 1_000_000
_PATIENCE_S = 60.0


class SteadyLoad:
    """Publishes `total` requests at `per_second`; leaving it waits for the last one.

    One that is to last as long as something else has none in sight, and is ended by `end`.
    """

    def __init__(
        self, world: World, *, per_second: float, total: int = ENDLESS, seed: int, keys: int = 40
    ) -> None:
        self.total = total
        self.sent = 0
        self._world = world
        self._pause_s = 1.0 / per_second
        self._rng = random.Random(seed)
        self._keys = keys
        self._stop = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="load")

    def __enter__(self) -> Self:
        """Start."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Wait for the rest, or give up when the test has failed already."""
        if kind is not None:
            self._stop.set()
            self._thread.join(_PATIENCE_S)
            return
        self.join()
        if self._failure is not None:
            raise self._failure

    def end(self) -> int:
        """Send no more; return how many were sent. Raises AssertionError when it does not end."""
        self._stop.set()
        self._join(_PATIENCE_S)
        return self.sent

    def join(self) -> None:
        """Wait until all was sent; raises AssertionError when that takes much too long."""
        self._join(_PATIENCE_S + (0 if self._stop.is_set() else self.total * self._pause_s))

    def _join(self, timeout_s: float) -> None:
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            msg = f"the load did not end within {timeout_s:g} s, with {self.sent} requests sent"
            raise AssertionError(msg)

    def _run(self) -> None:
        try:
            for number in range(self.total):
                null = self._rng.random() < NULL_SHARE
                key = None if null else f"user-{self._rng.randrange(self._keys)}"
                self._world.produce(plain(f"r{number}", key))
                self.sent += 1
                if self._stop.wait(self._pause_s):
                    break
            self._world.flush()
        except BaseException as error:  # noqa: BLE001 - raised again in the test's thread
            self._failure = error
