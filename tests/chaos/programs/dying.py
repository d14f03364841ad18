"""`serve`, but the process ends itself as `kill -9` would, at a chosen instant.

`DIES_AT` names the instant, `DIES_AFTER` how many times it is passed unharmed. Only the seams to
aiokafka are touched; a mark in `DIED_FILE` tells the test that it happened.
"""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaClient, AIOKafkaProducer
from aiokafka.producer.sender import Sender

from jiraiya_events.adapters.kafka.writer import KafkaWriter
from jiraiya_events.cli.app import main
from jiraiya_events.engine.session import Session

Patch = Callable[[], None]


def die_when_told() -> None:
    """Count an instant; end the process at the one that was chosen."""
    left = int(os.environ["DIES_AFTER"])
    if left > 0:
        os.environ["DIES_AFTER"] = str(left - 1)
        return
    with Path(os.environ["DIED_FILE"]).open("a", encoding="utf-8") as file:
        file.write(f"{os.environ['DIES_AT']}\n")
    os.kill(os.getpid(), signal.SIGKILL)


def _before(owner: type, name: str) -> Patch:
    """Return a patch that ends the process on the way into a method."""
    return _around(owner, name, before=True)


def _after(owner: type, name: str) -> Patch:
    """Return a patch that ends the process when an asynchronous method has returned."""
    return _around(owner, name, before=False)


def _around(owner: type, name: str, *, before: bool) -> Patch:
    def patch() -> None:
        original = getattr(owner, name)

        async def instead(*args: Any, **kwargs: Any) -> Any:
            if before:
                die_when_told()
            result = await original(*args, **kwargs)
            if not before:
                die_when_told()
            return result

        setattr(owner, name, instead)

    return patch


def _end_transaction_sent() -> None:
    """End the process when EndTxn is on its way: the coordinator finishes it for a dead client."""
    original = AIOKafkaClient.send

    async def instead(self: AIOKafkaClient, node: int, request: Any, **kwargs: Any) -> Any:
        if "EndTxn" in type(request).__name__:
            answer = asyncio.ensure_future(original(self, node, request, **kwargs))
            for _ in range(5):  # turns of the loop, until it reached the socket
                await asyncio.sleep(0)
            die_when_told()
            return await answer
        return await original(self, node, request, **kwargs)

    AIOKafkaClient.send = instead


def _opened() -> None:
    """End the process when a session has read what is committed, before it reads a record."""
    original = Session.opened

    def instead(self: Session, progress: Any) -> None:
        die_when_told()
        original(self, progress)

    Session.opened = instead  # type: ignore[method-assign]


def _drain() -> None:
    """End the process at the beginning of its draining."""
    original = Session.drain

    def instead(self: Session) -> None:
        original(self)
        die_when_told()

    Session.drain = instead  # type: ignore[method-assign]


INSTANTS: dict[str, Patch] = {
    "before the outputs are sent": _before(AIOKafkaProducer, "send_batch"),
    "between outputs and offsets": _before(AIOKafkaProducer, "send_offsets_to_transaction"),
    "between send and commit": _before(AIOKafkaProducer, "commit_transaction"),
    "in the coordinator's PREPARE_COMMIT": _end_transaction_sent,
    "right after the commit": _after(KafkaWriter, "commit"),
    "after the new epoch, before its first record": _opened,
    "while an old epoch is being fenced": _before(Sender, "_do_init_pid"),
    "at the beginning of a drain": _drain,
}


if __name__ == "__main__":
    INSTANTS[os.environ["DIES_AT"]]()
    main()
