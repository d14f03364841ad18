"""The command line of Kafka's JVM."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from jiraiya_events.adapters.embedded.data_dir import LOGGING_PROPERTIES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from jiraiya_events.adapters.embedded.java import Java

MAIN_CLASS = "kafka.Kafka"

# What the start-up cache depends on. One node for a demo or a test: the plain collector and
# the quick compiler start sooner and take less memory than those for servers.
SHAPE = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


def kafka_command(
    java: Java,
    jars: Sequence[Path],
    heap_mb: int,
    settings: str,
    startup_flags: Sequence[str] = (),
) -> list[str]:
    """Build the command that runs Kafka with the file ``settings`` of its prepared folder."""
    return [
        str(java.executable),
        *SHAPE,
        f"-Xmx{heap_mb}m",
        # A broker that ran out of memory must end, not linger: then somebody notices.
        "-XX:+ExitOnOutOfMemoryError",
        # The JVM's own warnings here are all about what it could not cache.
        "-Xlog:disable",
        "-Xlog:all=error:stderr",
        *startup_flags,
        f"-Dlog4j2.configurationFile={LOGGING_PROPERTIES}",
        "-Djava.awt.headless=true",
        "-cp",
        class_path(jars),
        MAIN_CLASS,
        settings,
    ]


def class_path(jars: Sequence[Path]) -> str:
    """Join the jars in the lock's order; the start-up cache is bound to that order."""
    return os.pathsep.join(str(jar) for jar in jars)
