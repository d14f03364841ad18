"""Fetching many jars at a time, with one progress for all."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp

from jiraiya_events.adapters.embedded.errors import EmbeddedKafkaError
from jiraiya_events.adapters.embedded.fetch import fetch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from jiraiya_events.adapters.embedded.lock import Jar

DOWNLOADING = "Downloading Apache Kafka"
_PARALLEL = 8
_CONNECT_TIMEOUT_S = 15.0
_SILENCE_TIMEOUT_S = 30.0


async def download(
    missing: Sequence[Jar],
    folder: Path,
    repository: str,
    on_progress: Callable[[str, int, int], None] | None,
) -> None:
    """Download ``missing`` into ``folder``, several at a time.

    Raises:
        EmbeddedKafkaError: for the first jar that cannot be had; the others are given up.
    """
    done, total = 0, sum(jar.size for jar in missing)
    slots = asyncio.Semaphore(_PARALLEL)

    def advance(count: int) -> None:
        nonlocal done
        done += count
        if on_progress is not None:
            on_progress(DOWNLOADING, done, total)

    async def fetch_one(jar: Jar, session: aiohttp.ClientSession) -> None:
        async with slots:
            await fetch(session, repository, jar, folder, advance)

    advance(0)
    timeout = aiohttp.ClientTimeout(
        total=None, sock_connect=_CONNECT_TIMEOUT_S, sock_read=_SILENCE_TIMEOUT_S
    )
    # `trust_env` is what makes proxies work.
    async with aiohttp.ClientSession(timeout=timeout, trust_env=True) as session:
        try:
            async with asyncio.TaskGroup() as group:
                # The large ones first: the last download then is a small one.
                for jar in sorted(missing, key=lambda jar: -jar.size):
                    group.create_task(fetch_one(jar, session))
        except* EmbeddedKafkaError as errors:
            first = errors.exceptions[0]
        else:
            return
    raise first
