"""A guarded process for real: nothing of it stays open, however its owner ends."""

import asyncio
import gc
import sys
import warnings
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import psutil
import pytest

from jiraiya_events.adapters.embedded import EmbeddedKafkaError
from jiraiya_events.adapters.embedded.guarded import GuardedProcess, spawn

ENDLESS = (sys.executable, "-c", "import time; time.sleep(600)")


def start(folder: Path, *command: str) -> Coroutine[Any, Any, GuardedProcess]:
    return spawn(command, folder=folder, log=folder / "log")


def left_open(program: Coroutine[Any, Any, None]) -> list[str]:
    """Run `program` in an event loop of its own; return what the collector finds afterwards."""
    gc.collect()
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always", ResourceWarning)
        asyncio.run(program)
        gc.collect()
    return [str(warning.message) for warning in found]


def children() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


@pytest.mark.parametrize("turns", [1, 3, 6, 12, 20])
def test_a_start_that_is_cancelled_leaves_nothing_open(turns: int, tmp_path: Path) -> None:
    """After any number of the event loop's turns: while it is made, and before it has reported."""

    async def program() -> None:
        starting = asyncio.create_task(start(tmp_path, *ENDLESS))
        for _ in range(turns):
            await asyncio.sleep(0)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting

    before = children()
    assert left_open(program()) == []
    assert children() == before


def test_a_command_that_is_not_there_leaves_nothing_open(tmp_path: Path) -> None:
    async def program() -> None:
        with pytest.raises(EmbeddedKafkaError, match="could not be started"):
            await start(tmp_path, str(tmp_path / "missing"))

    assert left_open(program()) == []


def test_an_event_loop_that_ends_first_takes_the_process_with_it(tmp_path: Path) -> None:
    """As when a stop is interrupted: nobody has killed it, and nobody waits for it."""

    async def program() -> None:
        await start(tmp_path, *ENDLESS)

    before = children()
    assert left_open(program()) == []
    assert children() == before
