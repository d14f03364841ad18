"""Maintenance: write the jar lock and the features of a new cluster.

``python -m jiraiya_events.adapters.embedded.relock`` resolves Kafka's dependencies with
`jgo`, downloads every jar anew, hashes it, and runs Kafka's own format tool once to keep
what it writes for a new cluster. Run it after changing ``KAFKA_VERSION``.
"""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from jgo.maven import Artifact, MavenContext

from jiraiya_events.adapters.embedded.data_dir import (
    CHECKPOINT,
    FEATURES_FILE,
    SERVER_PROPERTIES,
    server_properties,
)
from jiraiya_events.adapters.embedded.java import find_java
from jiraiya_events.adapters.embedded.jvm import class_path
from jiraiya_events.adapters.embedded.lock import KAFKA_VERSION, LOCK_FILE, Jar
from jiraiya_events.adapters.embedded.properties import render_properties

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_KAFKA = "org.apache.kafka:kafka_2.13"
_LOG4J_CORE = "log4j-core"
_LOG4J_BINDING = "log4j-slf4j-impl"  # for SLF4J 1; without a binding the broker says nothing
_HEADER = f"""\
# The jars of {_KAFKA}:{KAFKA_VERSION}, in class path order: coordinates, SHA-256, bytes.
# Written by `python -m jiraiya_events.adapters.embedded.relock`; do not edit.
"""


def main() -> int:
    """Write both files."""
    with tempfile.TemporaryDirectory() as name:
        found = sorted(_resolve(Path(name)), key=lambda pair: pair[0].coordinates)
        lines = "".join(f"{jar.lock_line}\n" for jar, _ in found)
        LOCK_FILE.write_text(_HEADER + lines, encoding="ascii")
        checkpoint = _format(Path(name) / "cluster", [path for _, path in found])
    FEATURES_FILE.write_bytes(base64.encodebytes(checkpoint))
    sys.stdout.write(f"{len(found)} jars locked, {sum(jar.size for jar, _ in found)} bytes\n")
    return 0


def _resolve(cache: Path) -> Iterator[tuple[Jar, Path]]:
    # A cache of our own: one that other tools write to could hold anything.
    maven = MavenContext(repo_cache=cache / "maven")
    kafka = maven.create_dependency(f"{_KAFKA}:jar:{KAFKA_VERSION}:compile")
    inputs, transitive = maven.resolver.resolve([kafka])
    wanted = (*inputs, *(each for each in transitive if each.scope in {"compile", "runtime"}))
    for artifact in (each.artifact for each in wanted):
        yield _lock(artifact)
        if artifact.artifactId == _LOG4J_CORE:
            binding = maven.project(artifact.groupId, _LOG4J_BINDING)
            yield _lock(binding.at_version(artifact.version).artifact())


def _lock(artifact: Artifact) -> tuple[Jar, Path]:
    path = artifact.resolve()
    content = path.read_bytes()
    jar = Jar(
        group=artifact.groupId,
        artifact=artifact.artifactId,
        version=artifact.version,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
    )
    return jar, path


def _format(folder: Path, jars: Sequence[Path]) -> bytes:
    folder.mkdir()
    settings = folder / SERVER_PROPERTIES
    settings.write_bytes(render_properties(server_properties(9092, 9093)))
    format_tool = [str(find_java().executable), "-cp", class_path(jars), "kafka.tools.StorageTool"]
    subprocess.run(  # noqa: S603 - the command is ours
        [*format_tool, "format", "--cluster-id", "AAAAAAAAAAAAAAAAAAAAAA", "-c", str(settings)],
        cwd=folder,
        check=True,
    )
    (checkpoint,) = folder.rglob(CHECKPOINT.name)
    return checkpoint.read_bytes()


if __name__ == "__main__":
    sys.exit(main())
