"""An operator of a world: `jiraiya dlq` as a process of its own."""

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from tests.blackbox.messages import Seen
from tests.blackbox.reader import TopicReader
from tests.blackbox.service import ROOT
from tests.blackbox.world import World

_PATIENCE_S = 90.0


@dataclass(frozen=True, slots=True)
class Told:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The JSON objects on stdout, one a line."""
        return [json.loads(line) for line in self.out.splitlines()]


class Operator:
    """Works with a world's settings, `changes` of them excepted; makes the topic of marks."""

    def __init__(self, world: World, **changes: str) -> None:
        self.world = world
        self.settings = world.settings(**changes)
        self.marks = self.settings["JIRAIYA_TOPICS__MARKS"]
        self._create_marks()

    def dlq(self, *arguments: str, **environment: str) -> Told:
        """Run `jiraiya dlq …` to its end."""
        return self.jiraiya("dlq", *arguments, **environment)

    def jiraiya(self, *arguments: str, **environment: str) -> Told:
        """Run `jiraiya …` to its end."""
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.world.folder,
            env=self.environment() | environment,
            input="",
            capture_output=True,
            encoding="utf-8",
            timeout=_PATIENCE_S,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Told(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str, log: Path) -> subprocess.Popen[bytes]:
        """Start `jiraiya dlq …`; what it says goes to `log`."""
        with log.open("ab") as file:
            return subprocess.Popen(
                self.command("dlq", *arguments),
                cwd=self.world.folder,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
            )

    def replays(self) -> list[Seen]:
        """Return the committed replays, read anew."""
        with TopicReader(self.world.bootstrap, [self.world.requested]) as reader:
            records = reader.to_the_end(_PATIENCE_S)
        return [record for record in records if record.header("x-replay-of") is not None]

    def marked(self) -> Counter[str]:
        """Return how often each dead letter was marked."""
        with TopicReader(self.world.bootstrap, [self.marks]) as reader:
            records = reader.to_the_end(_PATIENCE_S)
        return Counter((record.key or b"").decode() for record in records)

    def command(self, *arguments: str) -> list[str]:
        """Return the whole command line."""
        return [sys.executable, "-m", "jiraiya_events", *arguments]

    def environment(self) -> dict[str, str]:
        """Return what the command is told besides."""
        kept = {k: v for k, v in os.environ.items() if k in {"PATH", "HOME", "LANG", "TZ"}}
        return {**kept, "PYTHONPATH": str(ROOT), "COLUMNS": "120", **self.settings}

    def _create_marks(self) -> None:
        admin = AdminClient({"bootstrap.servers": self.world.bootstrap, "log_level": 0})
        if self.marks not in admin.list_topics(timeout=20).topics:
            topic = NewTopic(
                self.marks, self.world.partitions, 1, config={"cleanup.policy": "compact"}
            )
            admin.create_topics([topic])[self.marks].result(20)
