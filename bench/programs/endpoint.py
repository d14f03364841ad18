"""The model endpoint: the project's faulty endpoint with a latency and no faults."""

import asyncio
import signal
import sys

import uvloop

from bench.programs.answers import say
from jiraiya_events.testing.fault_plan import FaultPlan
from jiraiya_events.testing.faulty_endpoint import serve_faulty


async def main() -> None:
    """Serve the plan given as the first argument until SIGTERM."""
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    plan = FaultPlan.model_validate_json(sys.argv[1])
    async with serve_faulty(plan=plan) as endpoint:
        say({"base_url": endpoint.base_url})
        await stopped.wait()


if __name__ == "__main__":
    uvloop.run(main())
