"""Fetching one jar: into a file of its own, hashed on the way, renamed when it is right."""

from __future__ import annotations

import asyncio
import hashlib
import os
import uuid
from typing import TYPE_CHECKING

import aiohttp

from jiraiya_events.adapters.embedded.errors import EmbeddedKafkaError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from jiraiya_events.adapters.embedded.lock import Jar

_TRIES = 3
_CHUNK = 1 << 16
_PAUSE_S = 0.5


async def fetch(
    session: aiohttp.ClientSession,
    repository: str,
    jar: Jar,
    folder: Path,
    on_bytes: Callable[[int], None],
) -> None:
    """Download ``jar`` into ``folder``; ``on_bytes`` hears of every piece (negative: undone).

    Raises:
        EmbeddedKafkaError: the repository cannot be reached, does not have the jar, or
            has other bytes under its name.
    """
    url = f"{repository.rstrip('/')}/{jar.repository_path}"
    for left in reversed(range(_TRIES)):
        try:
            await _fetch_once(session, url, jar, folder, on_bytes)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            if left == 0 or not _may_pass(error):
                raise _unreachable(jar, repository, error) from error
            await asyncio.sleep(_PAUSE_S)
        else:
            return


async def _fetch_once(
    session: aiohttp.ClientSession,
    url: str,
    jar: Jar,
    folder: Path,
    on_bytes: Callable[[int], None],
) -> None:
    part = folder / f".{jar.file_name}.{uuid.uuid4().hex}.part"
    sha256, received = hashlib.sha256(), 0
    try:
        async with session.get(url, raise_for_status=True) as response:
            with part.open("wb") as file:
                async for chunk in response.content.iter_chunked(_CHUNK):
                    file.write(chunk)
                    sha256.update(chunk)
                    received += len(chunk)
                    on_bytes(len(chunk))
        _check(jar, url, sha256.hexdigest())
        os.replace(part, folder / jar.file_name)  # noqa: PTH105 - one system call, no thread
    except BaseException:
        on_bytes(-received)
        raise
    finally:
        part.unlink(missing_ok=True)


def _may_pass(error: Exception) -> bool:
    if isinstance(error, aiohttp.ClientResponseError):
        return error.status >= 500 or error.status == 429  # noqa: PLR2004 - HTTP's own numbers
    return True


def _unreachable(jar: Jar, repository: str, error: Exception) -> EmbeddedKafkaError:
    if isinstance(error, aiohttp.ClientResponseError):
        reason = f"HTTP {error.status} {error.message}".rstrip()
    else:
        reason = str(error) or type(error).__name__
    return EmbeddedKafkaError(
        f"{jar.coordinates} is not cached yet and could not be downloaded from {repository} "
        f"({reason}): connect to the network, set HTTPS_PROXY, or point "
        "JIRAIYA_BROKER__REPOSITORY_URL at a Maven repository within reach."
    )


def _check(jar: Jar, url: str, got: str) -> None:
    if got != jar.sha256:
        message = (
            f"{url} is not the jar that was locked (SHA-256 expected {jar.sha256}, got {got}) "
            "and was thrown away: try again, and if it stays so use another repository "
            "(JIRAIYA_BROKER__REPOSITORY_URL)."
        )
        raise EmbeddedKafkaError(message)
