"""`serve`, but the process stops as if by `kill -STOP`, with a transaction open and outputs sent.

It does so once, as soon as there is a file `FREEZES_WHEN`; whoever sends it SIGCONT wakes it, and
its next act is to commit.
"""

import os
import signal
from pathlib import Path

from aiokafka import AIOKafkaProducer

from jiraiya_events.adapters.kafka import writer
from jiraiya_events.cli.app import main
from tests.chaos.programs.hasty import hasten

HOWEVER_LONG_S = 600.0


def freeze_before_commit() -> None:
    """Stop the process on the way into a commit; the time it is away is not the commit's fault."""
    original = AIOKafkaProducer.commit_transaction

    async def instead(self: AIOKafkaProducer) -> None:
        freeze_when_told()
        await original(self)

    AIOKafkaProducer.commit_transaction = instead
    assert hasattr(writer, "COMMIT_TIMEOUT_S")
    setattr(writer, "COMMIT_TIMEOUT_S", HOWEVER_LONG_S)  # noqa: B010 - it exports no such name


def freeze_when_told() -> None:
    """Look for the file; stop at once."""
    told = Path(os.environ["FREEZES_WHEN"])
    if told.exists():
        told.unlink()
        os.kill(os.getpid(), signal.SIGSTOP)


if __name__ == "__main__":
    freeze_before_commit()
    hasten()
    main()
