"""The class path: every locked jar, in the cache and checked."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from jiraiya_events.adapters.embedded.errors import EmbeddedKafkaError
from jiraiya_events.adapters.exclusive import exclusive

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from jiraiya_events.adapters.embedded.lock import Jar


async def ensure_jars(
    jars: Sequence[Jar],
    folder: Path,
    *,
    repository: str | None = None,
    on_progress: Callable[[str, int, int], None] | None = None,
) -> list[Path]:
    """Return the paths of all ``jars``, in order, after downloading those not in ``folder``.

    A file gets its final name only once its hash was right, so a name in the cache means
    that it was checked; the size is compared again to notice a disk that lost its end.

    Raises:
        EmbeddedKafkaError: a jar could not be fetched, or is not the locked one.
    """
    if _missing(jars, folder):
        async with exclusive(folder / ".lock"):
            # Whoever held the lock before us may have fetched them all.
            missing = _missing(jars, folder)
            if missing:
                # Imported here: the HTTP client costs a quarter of a second.
                from jiraiya_events.adapters.embedded.download import download  # noqa: PLC0415 - only a download needs aiohttp

                await download(missing, folder, repository or default_repository(), on_progress)
    return [folder / jar.file_name for jar in jars]


def default_repository() -> str:
    """Return the address of the public Maven repository, as `jgo` knows it.

    Raises:
        EmbeddedKafkaError: `jgo` is not installed.
    """
    try:
        # Imported here: it is part of the `demo` extra only, and not fast to import.
        constants = importlib.import_module("jgo.constants")
    except ImportError as error:
        message = (
            "The broker's jars are not cached yet and no repository is known: "
            "pip install 'jiraiya-events[demo]', or set JIRAIYA_BROKER__REPOSITORY_URL."
        )
        raise EmbeddedKafkaError(message) from error
    return str(constants.MAVEN_CENTRAL_URL)


def _missing(jars: Sequence[Jar], folder: Path) -> list[Jar]:
    return [jar for jar in jars if _size(folder / jar.file_name) != jar.size]


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None
