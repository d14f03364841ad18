"""A steady stream of requests from a thread of its own, with seeded keys."""

import random
import threading
from types import TracebackType
from typing import Self

from tests.blackbox.requests import plain
from tests.blackbox.world import World

NULL_SHARE = 0.1
_PATIENCE_S = 60.0


class SteadyLoad:
    """Publishes `total` requests at `per_second`; leaving it waits for the last one."""

    def __init__(
        self, world: World, *, per_second: float, total: int, seed: int, keys: int = 40
    ) -> None:
        self.total = total
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
        self.join()
        if kind is None and self._failure is not None:
            raise self._failure

    def join(self) -> None:
        """Wait until all was sent."""
        self._thread.join(self.total * self._pause_s + _PATIENCE_S)

    def _run(self) -> None:
        try:
            for number in range(self.total):
                null = self._rng.random() < NULL_SHARE
                key = None if null else f"user-{self._rng.randrange(self._keys)}"
                self._world.produce(plain(f"r{number}", key))
                if self._stop.wait(self._pause_s):
                    return
            self._world.flush()
        except BaseException as error:  # noqa: BLE001 - raised again in the test's thread
            self._failure = error
