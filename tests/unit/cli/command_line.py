"""Runs `jiraiya` as a person does: another process, judged by its streams and exit code."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The JSON objects on stdout, one a line."""
        return [json.loads(line) for line in self.out.splitlines()]


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with these settings and no others of ours."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("JIRAIYA_", "OPENAI_", "OTEL_"))
    }
    return {**kept, "PYTHONPATH": str(ROOT), "COLUMNS": "120", **settings}


def jiraiya(
    *arguments: str, cwd: Path, settings: Mapping[str, str] | None = None, given: str = ""
) -> Ended:
    """Run a command to its end in `cwd`, where it finds no `.env`."""
    done = subprocess.run(
        [sys.executable, "-m", "jiraiya_events", *arguments],
        cwd=cwd,
        env=environment(settings or {}),
        input=given,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)
