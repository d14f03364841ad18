"""What has to be on the machine before a broker can start: a Java and the jars."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jiraiya_events.adapters.embedded import startup_cache
from jiraiya_events.adapters.embedded.cache import open_cache
from jiraiya_events.adapters.embedded.errors import EmbeddedKafkaError
from jiraiya_events.adapters.embedded.jars import ensure_jars
from jiraiya_events.adapters.embedded.java import Java, find_java
from jiraiya_events.adapters.embedded.lock import read_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from jiraiya_events.adapters.embedded.options import EmbeddedKafkaOptions


@dataclass(frozen=True, slots=True)
class Installation:
    """A Java, the checked jars, and where this pair's start-up cache is or would be."""

    java: Java
    jars: Sequence[Path]
    startup_cache: Path | None


async def install(
    options: EmbeddedKafkaOptions, on_progress: Callable[[str, int, int], None] | None
) -> Installation:
    """Find a Java, and download what is missing of the jars.

    Raises:
        EmbeddedKafkaError: no Java fits, or a jar is missing and cannot be had.
    """
    # Java first: who lacks it should not wait for a download to hear of it.
    java = await asyncio.to_thread(find_java)
    cache = open_cache(options.cache_dir)
    try:
        jars = await ensure_jars(
            read_lock(),
            cache / "jars",
            repository=options.repository_url,
            on_progress=on_progress,
        )
    except OSError as error:
        message = f"The cache folder {cache} cannot be used ({error}): free it, or remove it."
        raise EmbeddedKafkaError(message) from error
    return Installation(java, jars, startup_cache.cache_path(cache / "startup", java, jars))
