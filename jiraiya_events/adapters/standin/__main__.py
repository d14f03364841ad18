"""`python -m jiraiya_events.adapters.standin`: the stand-in endpoint as a process of its own."""

import argparse
import asyncio
import contextlib
import signal
import sys

from jiraiya_events.adapters.standin.server import LATENCY_S, serve_standin


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM; return the exit code."""
    parser = argparse.ArgumentParser(prog="jiraiya-stand-in", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8081)
    parser.add_argument(
        "--latency",
        type=float,
        default=LATENCY_S,
        metavar="SECONDS",
        help="mean time an answer takes",
    )
    options = parser.parse_args(arguments)
    try:
        asyncio.run(_serve(options.host, options.port, options.latency))
    except OSError as error:
        sys.stderr.write(
            f"cannot listen on {options.host}:{options.port} ({error.strerror}): "
            "stop what is using it or choose another --port\n"
        )
        return 1
    return 0


async def _serve(host: str, port: int, latency_s: float) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows has no signals in its loop
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with serve_standin(host, port, latency_s=latency_s) as url:
        sys.stderr.write(f"stand-in model at {url}\n")
        await stopped.wait()


if __name__ == "__main__":
    sys.exit(main())
