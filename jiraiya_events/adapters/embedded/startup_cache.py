"""The JVM's start-up cache (JEP 483, JEP 514): classes already loaded and linked.

With it a broker starts about twice to four times as fast. A cache fits one JVM and one
class path; a JVM given one that does not fit starts without it.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from jiraiya_events.adapters.embedded.jvm import SHAPE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from jiraiya_events.adapters.embedded.java import Java

OLDEST_MAJOR = 25
_KEPT = 3


def cache_path(folder: Path, java: Java, jars: Sequence[Path]) -> Path | None:
    """Name the cache of this JVM and class path; ``None`` when the JVM knows no such thing.

    Everything the JVM compares before it accepts a cache is in the name, file times
    included: else one that no longer fits would be refused at each start for good.
    """
    if java.major < OLDEST_MAJOR:
        return None
    digest = hashlib.sha256()
    for fact in (java.version, str(java.executable.resolve()), *SHAPE):
        digest.update(fact.encode(errors="surrogateescape") + b"\0")
    for jar in jars:
        status = jar.stat()
        name = str(jar).encode(errors="surrogateescape")
        digest.update(b"%s %d %d\0" % (name, status.st_size, status.st_mtime_ns))
    return folder / f"java-{java.version}-{digest.hexdigest()[:16]}.aot"


def use_flags(cache: Path | None) -> tuple[str, ...]:
    """Return the flags that make a JVM start from the cache, if it exists."""
    return (f"-XX:AOTCache={cache}",) if cache is not None and cache.exists() else ()


def prune(folder: Path) -> None:
    """Delete all but the newest few caches; each takes some 65 MB."""
    caches = sorted(folder.glob("*.aot"), key=lambda path: path.stat().st_mtime, reverse=True)
    for stale in caches[_KEPT:]:
        stale.unlink(missing_ok=True)
