"""`jiraiya …`, but the process ends itself as `kill -9` would, at a chosen instant.

`DIES_AT` names the instant, `DIES_AFTER` how many times it is passed unharmed. Only the seams to
aiokafka are touched; `DIED_FILE` tells the test that it happened, in its first line, and which
requests the transaction was for, where that is known.
"""

import asyncio
import os
import signal
from asyncio import WriteTransport
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.conn import AIOKafkaConnection
from aiokafka.producer.sender import Sender
from aiokafka.protocol.transaction import EndTxnRequest

from jiraiya_events.adapters.kafka.dead_letters.takeover import KafkaTakeover
from jiraiya_events.adapters.kafka.edge import KafkaEdge
from jiraiya_events.adapters.kafka.subscriber import EngineListener
from jiraiya_events.adapters.kafka.writer import KafkaWriter
from jiraiya_events.cli.app import main
from jiraiya_events.engine.records import Committed, Output
from jiraiya_events.engine.session import Session
from tests.chaos.programs.hasty import hasten

Patch = Callable[[], None]


def die_when_told(batch: Iterable[str] = ()) -> None:
    """Count an instant; end the process at the one that was chosen, and tell of its batch."""
    left = int(os.environ["DIES_AFTER"])
    if left > 0:
        os.environ["DIES_AFTER"] = str(left - 1)
        return
    with Path(os.environ["DIED_FILE"]).open("a", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in (os.environ["DIES_AT"], *batch))
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


def _end_transaction_written() -> None:
    """End the process when EndTxn has left it: the coordinator finishes it for a dead client."""
    batches: dict[str, list[str]] = {}
    commit, send = KafkaWriter.commit, AIOKafkaConnection.send

    async def noting(self: KafkaWriter, outputs: Sequence[Output], committed: Committed) -> None:
        name = f"{self._group}.{self._partition.topic}.{self._partition.partition}"
        batches[name] = [_request_of(output) for output in outputs]
        await commit(self, outputs, committed)

    def sending(self: AIOKafkaConnection, request: Any, *args: Any, **kwargs: Any) -> Any:
        answer = send(self, request, *args, **kwargs)
        if isinstance(request, EndTxnRequest) and request._transaction_result:
            batch = batches.get(request._transactional_id, [])
            return _die_when_written(self._writer.transport, batch, answer)
        return answer

    KafkaWriter.commit = noting  # type: ignore[method-assign]
    AIOKafkaConnection.send = sending


async def _die_when_written(
    transport: WriteTransport, batch: list[str], answer: Awaitable[Any]
) -> Any:
    # uvloop writes at the end of the loop's turn.
    while transport.get_write_buffer_size():  # noqa: ASYNC110 - nobody tells when
        await asyncio.sleep(0)
    die_when_told(batch)
    return await answer


def _request_of(output: Output) -> str:
    """Return the id of the request that an output answers."""
    return next((v or b"").decode() for n, v in output.headers if n == "ce_causationid")


def _revoked() -> None:
    """End the process when it was told to let go of partitions, before it joins again."""
    original = EngineListener.on_partitions_revoked

    def instead(self: EngineListener, revoked: Iterable[Any]) -> None:
        original(self, revoked)
        if revoked:  # at its first joining a member has none
            die_when_told()

    EngineListener.on_partitions_revoked = instead  # type: ignore[method-assign]


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
    "in the coordinator's PREPARE_COMMIT": _end_transaction_written,
    "right after the commit": _after(KafkaWriter, "commit"),
    "right after the commit of a replay": _after(KafkaTakeover, "commit"),
    "after the new epoch, before its first record": _opened,
    "while an old epoch is being fenced": _before(Sender, "_do_init_pid"),
    "during a revocation": _revoked,
    "at the beginning of a drain": _drain,
    "after a drain's last commit, before it leaves the group": _before(KafkaEdge, "stop"),
}


if __name__ == "__main__":
    INSTANTS[os.environ["DIES_AT"]]()
    hasten()
    main()
