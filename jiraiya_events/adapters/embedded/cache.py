"""Where the embedded Kafka keeps what every data folder shares."""

from __future__ import annotations

from pathlib import Path

import platformdirs

from jiraiya_events.adapters.embedded.errors import EmbeddedKafkaError


def open_cache(cache_dir: Path | None) -> Path:
    """Return the cache folder, made if need be.

    Raises:
        EmbeddedKafkaError: it cannot be made or written.
    """
    folder = cache_dir or platformdirs.user_cache_path("jiraiya", appauthor=False) / "kafka"
    folder = folder.expanduser().absolute()
    try:
        for part in ("jars", "startup"):
            (folder / part).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = (
            f"The cache folder {folder} cannot be written ({error.strerror}): set "
            "XDG_CACHE_HOME, or the cache folder's option, to one that can."
        )
        raise EmbeddedKafkaError(message) from error
    return folder
