"""An OpenAI-compatible endpoint that fails on demand, for tests, chaos runs and benches.

`POST /v1/chat/completions` (whole or streamed), `POST /v1/moderations` and `GET /v1/models` behave
as the fault plan says; `POST /_control` changes the plan while it runs, `GET /_stats` tells what
was seen.
A prompt carries no request id, so calls are counted by a marker in the keywords: `k-<anything>`.
"""

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from pydantic import ValidationError

from jiraiya_events.testing.fault_plan import FaultPlan
from jiraiya_events.testing.faulty_calls import FaultyEndpoint


@asynccontextmanager
async def serve_faulty(
    host: str = "127.0.0.1", port: int = 0, plan: FaultPlan | None = None
) -> AsyncIterator[FaultyEndpoint]:
    """Serve an endpoint in this event loop; its `base_url` ends in `/v1`. Port 0 takes a free one.

    Raises OSError when the port is taken.
    """
    endpoint = FaultyEndpoint(plan)
    # Without the low-level server's cancellation nobody would notice that a client hung up.
    server = web.Server(endpoint.handle, handler_cancellation=True, access_log=None)
    runner = web.ServerRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        bound = runner.addresses[0]
        endpoint.base_url = f"http://{bound[0]}:{bound[1]}/v1"
        yield endpoint
    finally:
        await runner.cleanup()


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM; return the exit code."""
    parser = argparse.ArgumentParser(prog="faulty-endpoint", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8082)
    parser.add_argument("--plan", default="{}", help="the first plan, as JSON")
    options = parser.parse_args(arguments)
    try:
        plan = FaultPlan.model_validate_json(options.plan)
        asyncio.run(_serve(options.host, options.port, plan))
    except (ValidationError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


async def _serve(host: str, port: int, plan: FaultPlan) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows has no signals in its loop
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with serve_faulty(host, port, plan) as endpoint:
        sys.stderr.write(f"faulty endpoint at {endpoint.base_url}\n")
        await stopped.wait()


if __name__ == "__main__":
    sys.exit(main())
