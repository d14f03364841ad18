"""The service under measurement, together with its endpoint."""

import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.broker import Judge, Topics
from bench.children import Child, child

WARM_UP = 200


@asynccontextmanager
async def endpoint(latency: Mapping[str, object]) -> AsyncIterator[str]:
    """Give the base URL of a model endpoint with this latency, in a process of its own."""
    plan = json.dumps({"latency": latency})
    async with child("bench.programs.endpoint", [plan]) as running:
        yield (await running.answer())["base_url"]


@asynccontextmanager
async def service(
    topics: Topics, base_url: str, *, store: str | None = None, profile: Path | None = None
) -> AsyncIterator[Child]:
    """Give a started service, its result store in a temporary SQLite file unless `store` says."""
    with TemporaryDirectory() as folder:
        settings = service_settings(topics, base_url, folder, free_port())
        if store:
            settings["JIRAIYA_STORE__URL"] = store
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


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
