"""`jiraiya serve` with something broken on purpose, named by the variable `BEND`.

What only a bug could bring about is brought about here, in a process of its own, and the
watchdog's bounds are made short enough to wait for.
"""

import asyncio
import os
from collections.abc import Callable
from typing import Any

from jiraiya_events.adapters.kafka import progress_writer, writer
from jiraiya_events.adapters.kafka.subscriber import EngineSubscriber
from jiraiya_events.adapters.store import redis_connection
from jiraiya_events.adapters.store.sqlite import SqliteStore
from jiraiya_events.bootstrap import watchdog, wiring
from jiraiya_events.cli.app import main
from jiraiya_events.engine.commit_loop import CommitLoop
from jiraiya_events.engine.dispatcher import Dispatcher
from jiraiya_events.engine.limits import Limits
from jiraiya_events.generation.result_store import Lease
from jiraiya_events.handlers.story_handler import StoryHandler
from tests.blackbox.service import ServiceProcess

SHORT_S = 4.0
FEW = 5


def _replace(owner: object, name: str, value: object) -> None:
    setattr(owner, name, value)


async def _forever(*_: object, **__: object) -> Any:
    await asyncio.Event().wait()


def _hang_commits() -> None:
    """The writer never returns, whatever bounds it had."""
    _replace(writer.KafkaWriter, "commit", _forever)
    _replace(watchdog, "COMMIT_S", SHORT_S)


def _kill_commit_loops() -> None:
    """A bug in the loop itself, at the first batch."""

    def stumble(*_: object) -> Any:
        raise ZeroDivisionError

    _replace(CommitLoop, "_batch", stumble)


def _start_nothing() -> None:
    """Slots are free, records are ready, and nobody brings them together."""
    _replace(Dispatcher, "_pump", lambda _: None)
    _replace(watchdog, "START_S", SHORT_S)


def _read_nothing() -> None:
    """The reader hangs."""
    _replace(EngineSubscriber, "get_msg", _forever)
    _replace(watchdog, "READ_S", SHORT_S)


def _hang_handlers() -> None:
    """A handler hangs, and no time-out of its own ends it."""

    async def hang(_self: object, _work: object) -> Any:  # FastStream looks at the signature
        await _forever()

    _replace(StoryHandler, "handle", hang)
    _replace(watchdog, "OVER_CALL_S", SHORT_S)


def _accept_few() -> None:
    """No bug: a limit that a test can reach."""
    _replace(wiring, "Limits", lambda **given: Limits(**given, accepted=FEW))


def _be_patient() -> None:
    """No bug: what stands still with the machine for a while is not taken for gone."""
    _replace(progress_writer, "REQUEST_TIMEOUT_MS", 60_000)
    _replace(redis_connection, "_IN_ALL_S", 30.0)
    _replace(redis_connection, "_CONNECT_TIMEOUT_S", 30.0)


def _release_slowly() -> None:
    """No bug: a store that takes its time to give a lease back."""
    release = SqliteStore.release

    async def slow(store: SqliteStore, lease: Lease) -> None:
        await asyncio.sleep(float(os.environ["RELEASE_S"]))
        await release(store, lease)

    _replace(SqliteStore, "release", slow)


BENDS: dict[str, Callable[[], None]] = {
    "hang-commits": _hang_commits,
    "kill-commit-loops": _kill_commit_loops,
    "start-nothing": _start_nothing,
    "read-nothing": _read_nothing,
    "hang-handlers": _hang_handlers,
    "accept-few": _accept_few,
    "slow-release": _release_slowly,
    "patient": _be_patient,
}


def bend(service: ServiceProcess, how: str) -> ServiceProcess:
    """Have a service that was not started yet broken like this."""
    assert how in BENDS
    service.program = "tests.blackbox.bent_service"
    service.settings["BEND"] = how
    return service


if __name__ == "__main__":
    BENDS[os.environ["BEND"]]()
    main()
