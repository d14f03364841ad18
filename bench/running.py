"""The service under measurement, together with its endpoint."""

import asyncio
import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.broker import Topics
from bench.children import Child, child
from bench.judging import Judge

WARM_UP = 200
READY_PATIENCE_S = 30.0


@asynccontextmanager
async def endpoint(latency: Mapping[str, object], *, timed: bool = False) -> AsyncIterator[str]:
    """Give the base URL of a model endpoint with this latency, in a process of its own.

    `timed`: its `stats` tell when each call came and was answered, until they are reset.
    """
    plan = json.dumps({"latency": latency})
    async with child("bench.programs.endpoint", [plan, *(["timed"] if timed else [])]) as running:
        yield (await running.answer())["base_url"]


async def control(base_url: str, **changes: object) -> None:
    """Change the plan of an endpoint; `reset_stats=True` counts anew."""
    address = base_url.removesuffix("/v1") + "/_control"
    request = urllib.request.Request(address, json.dumps(changes).encode())  # noqa: S310 - ours
    await asyncio.to_thread(_body, request)


async def calls(base_url: str) -> tuple[int, int]:
    """Return how many calls an endpoint has seen, and how many are in flight."""
    seen = await stats(base_url)
    return seen["calls"], seen["in_flight"]


async def stats(base_url: str) -> dict[str, Any]:
    """Return what an endpoint has counted."""
    seen: dict[str, Any] = json.loads(
        await asyncio.to_thread(_body, base_url.removesuffix("/v1") + "/_stats")
    )
    return seen


@asynccontextmanager
async def service(
    topics: Topics,
    base_url: str,
    *,
    profile: Path | None = None,
    changes: Mapping[str, str] | None = None,
) -> AsyncIterator[Child]:
    """Give a started service, its result store in a temporary SQLite file."""
    with TemporaryDirectory() as folder:
        port = free_port()
        settings = {**service_settings(topics, base_url, folder, port), **(changes or {})}
        arguments = [str(profile)] if profile else []
        async with child("bench.programs.service", arguments, settings) as running:
            await running.answer()
            yield running


def service_settings(topics: Topics, base_url: str, folder: str, port: int) -> dict[str, str]:
    """Return the settings of a service whose files stay in `folder`."""
    return {
        **topics.settings(),
        "JIRAIYA_DATA_DIR": folder,
        "JIRAIYA_SECRETS_DIR": folder,
        "JIRAIYA_STORE__URL": f"sqlite:///{folder}/store.sqlite",
        "JIRAIYA_LLM__BASE_URL": base_url,
        "JIRAIYA_LLM__API_KEY": "none",
        "JIRAIYA_LLM__MODEL": "gpt-4o-mini",
        "JIRAIYA_HTTP__PORT": str(port),
    }


async def warm_up(topics: Topics, watching: Judge) -> None:
    """Let caches, connections and the first rebalance be over before anything is measured."""
    await topics.request(WARM_UP, first=10_000_000)
    await watching.wait_for(WARM_UP)


async def ready(port: int) -> None:
    """Wait until `/health/ready` says 200. Raises TimeoutError."""
    until = time.monotonic() + READY_PATIENCE_S
    while not await asyncio.to_thread(_answers, f"http://127.0.0.1:{port}/health/ready"):
        if time.monotonic() > until:
            msg = f"not ready after {READY_PATIENCE_S:.0f} s"
            raise TimeoutError(msg)
        await asyncio.sleep(0.02)


async def metric(port: int, name: str) -> float:
    """Return the value of a metric that has one series."""
    page = await asyncio.to_thread(_body, f"http://127.0.0.1:{port}/metrics")
    found = dict(line.rsplit(" ", 1) for line in page.decode().splitlines() if line[0] != "#")
    return float(next(value for series, value in found.items() if series.startswith(name)))


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(url: str) -> bool:
    try:
        _body(url)
    except (urllib.error.URLError, OSError):
        return False
    return True


def _body(request: str | urllib.request.Request) -> bytes:
    """Return the body of an answer with a good status; raises `URLError` for any other."""
    with urllib.request.urlopen(request, timeout=5) as response:  # noqa: S310 - a URL of ours
        body: bytes = response.read()
        return body
