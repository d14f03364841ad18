"""The jar lock: which files make up the broker, and what they must hash to.

One jar a line, ``group:artifact:version  sha256  bytes``; ``#`` starts a comment. The
order is the order of the class path. ``python -m jiraiya_events.adapters.embedded.relock``
writes the file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from jiraiya_events.adapters.embedded.errors import EmbeddedKafkaError

LOCK_FILE = Path(__file__).with_name("kafka-jars.lock")
KAFKA_VERSION = "4.4.0"

_LINE = re.compile(
    r"(?P<group>[\w.-]+):(?P<artifact>[\w.-]+):(?P<version>[\w.-]+)"
    r"\s+(?P<sha256>[0-9a-f]{64})\s+(?P<size>[1-9]\d*)"
)


@dataclass(frozen=True, slots=True)
class Jar:
    """One locked file of the class path."""

    group: str
    artifact: str
    version: str
    sha256: str
    size: int

    @property
    def coordinates(self) -> str:
        """``group:artifact:version``."""
        return f"{self.group}:{self.artifact}:{self.version}"

    @property
    def file_name(self) -> str:
        """The name in the cache folder."""
        return f"{self.artifact}-{self.version}.jar"

    @property
    def repository_path(self) -> str:
        """Where a Maven repository keeps the file, relative to its root."""
        folder = "/".join((*self.group.split("."), self.artifact, self.version))
        return f"{folder}/{self.file_name}"

    @property
    def lock_line(self) -> str:
        """The jar as a line of the lock."""
        return f"{self.coordinates} {self.sha256} {self.size}"


def read_lock(path: Path = LOCK_FILE) -> tuple[Jar, ...]:
    """Read the lock that ships with the package.

    Raises:
        EmbeddedKafkaError: the file is unreadable or has a line that is not a jar.
    """
    try:
        return parse_lock(path.read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        message = f"The jar lock {path} is damaged ({error}): install jiraiya-events again."
        raise EmbeddedKafkaError(message) from error


def parse_lock(text: str) -> tuple[Jar, ...]:
    """Parse the text of a lock.

    Raises:
        ValueError: a line is not a jar, or there is none at all; names the line.
    """
    jars = tuple(
        _parse_line(number, line)
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip() and not line.startswith("#")
    )
    if not jars:
        message = "it lists no jar"
        raise ValueError(message)
    return jars


def _parse_line(number: int, line: str) -> Jar:
    match = _LINE.fullmatch(line.strip())
    if match is None:
        message = f"line {number} is not 'group:artifact:version sha256 bytes'"
        raise ValueError(message)
    return Jar(
        group=match["group"],
        artifact=match["artifact"],
        version=match["version"],
        sha256=match["sha256"],
        size=int(match["size"]),
    )
