"""How an embedded broker is to run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jiraiya_events.adapters.embedded.errors import EmbeddedKafkaError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_HIGHEST_PORT = 65_535
_LOWEST_HEAP_MB = 128


@dataclass(frozen=True, slots=True)
class EmbeddedKafkaOptions:
    """Everything a caller may choose; the defaults suit a demo or a test.

    Attributes:
        data_dir: where topics live; ``None`` takes a temporary folder that is removed
            at ``stop()``, or by the guard when the parent dies.
        port: the client port on 127.0.0.1; 0 picks a free one.
        repository_url: the Maven repository the jars come from when they are not cached;
            ``None`` takes the one ``jgo`` knows.
        cache_dir: where jars are kept; ``None`` takes the user's cache folder.
        properties: server properties that are added or that replace ours.
        heap_mb: the JVM's largest heap, in MiB.
        train_startup_cache: whether this broker may train the JVM's start-up cache in
            the background when there is none yet. A cache that exists is always used.
        start_timeout_s: how long the broker may take to answer, in seconds.
    """

    data_dir: Path | None = None
    port: int = 0
    repository_url: str | None = None
    cache_dir: Path | None = None
    properties: Mapping[str, str] = field(default_factory=dict)
    heap_mb: int = 384
    train_startup_cache: bool = True
    start_timeout_s: float = 90.0

    def __post_init__(self) -> None:
        """Refuse values that no broker could start with."""
        if not 0 <= self.port <= _HIGHEST_PORT:
            message = f"port is {self.port}: choose 1 to {_HIGHEST_PORT}, or 0 for a free one."
            raise EmbeddedKafkaError(message)
        if self.heap_mb < _LOWEST_HEAP_MB:
            message = f"heap_mb is {self.heap_mb}: the broker needs {_LOWEST_HEAP_MB} or more."
            raise EmbeddedKafkaError(message)
