"""The data folder as a possession: one broker at a time, and gone at the end if temporary."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import Self

from jiraiya_events.adapters.embedded.data_dir import LOCK_NAME
from jiraiya_events.adapters.embedded.errors import EmbeddedKafkaError
from jiraiya_events.adapters.exclusive import try_exclusive


class DataFolder:
    """A folder that is ours from `claim` to `release`."""

    def __init__(self, path: Path, *, temporary: bool) -> None:
        """Name the folder; see `claim`."""
        self.path = path
        self.temporary = temporary
        self._lock = contextlib.ExitStack()

    @classmethod
    def claim(cls, chosen: Path | None) -> Self:
        """Take the chosen folder, or a temporary one.

        Kafka has a lock of its own, but notices it only after a second controller has
        written into the first one's metadata: then *both* brokers are broken.

        Raises:
            EmbeddedKafkaError: another broker uses it.
        """
        path = Path(tempfile.mkdtemp(prefix="jiraiya-kafka-")) if chosen is None else chosen
        folder = cls(path.expanduser().absolute(), temporary=chosen is None)
        folder.path.mkdir(parents=True, exist_ok=True)
        if not folder._lock.enter_context(try_exclusive(folder.path / LOCK_NAME)):
            folder.release()
            message = (
                f"Another broker already uses {folder.path}: stop it, or choose another data "
                "folder."
            )
            raise EmbeddedKafkaError(message)
        return folder

    def release(self) -> None:
        """Let others have the folder; delete it if it was a temporary one."""
        self._lock.close()
        if self.temporary:
            shutil.rmtree(self.path, ignore_errors=True)
