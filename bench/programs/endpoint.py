"""The model endpoint: the project's faulty endpoint with a latency and no faults."""

import asyncio
import signal
import sys
import time
from typing import Any

import uvloop

from bench.programs.answers import say
from jiraiya_events.testing.call_stats import CallStats
from jiraiya_events.testing.fault_plan import FaultPlan
from jiraiya_events.testing.faulty_endpoint import serve_faulty


class TimedStats(CallStats):
    """Notes as well when each call arrived, and when its answer was ready to be sent."""

    def __init__(self) -> None:
        super().__init__()
        self._times: dict[str, list[float]] = {}

    def arrived(self, key: str | None) -> None:
        """Note the request's whole body."""
        super().arrived(key)
        self._note(key)

    def told(self, key: str | None) -> None:
        """Note the answer."""
        super().told(key)
        self._note(key)

    def snapshot(self) -> dict[str, Any]:
        """Return the counts, and `times`: seconds since the Unix epoch by the call's marker."""
        return {**super().snapshot(), "times": self._times}

    def _note(self, key: str | None) -> None:
        if key is not None:
            self._times.setdefault(key, []).append(time.time())


async def main() -> None:
    """Serve the plan given as the first argument until SIGTERM; `timed` may follow it."""
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    plan = FaultPlan.model_validate_json(sys.argv[1])
    async with serve_faulty(plan=plan) as endpoint:
        if "timed" in sys.argv[2:]:
            endpoint.stats = TimedStats()
        say({"base_url": endpoint.base_url})
        await stopped.wait()


if __name__ == "__main__":
    uvloop.run(main())
