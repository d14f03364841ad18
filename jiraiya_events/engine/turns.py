"""One turn of a record: the handler is asked, and whatever it does becomes a verdict."""

import asyncio

from jiraiya_events.engine.errors import Lethal
from jiraiya_events.engine.journal import Standing
from jiraiya_events.engine.records import Record
from jiraiya_events.engine.surroundings import Surroundings
from jiraiya_events.engine.verdicts import Verdict, Work

MEANT = (asyncio.CancelledError, GeneratorExit, KeyboardInterrupt, SystemExit)
"""What somebody wants to end a task with; every other `BaseException` is a bug.

A Rust extension that panics raises one that is no `Exception`, and so does a group of them.
"""


async def take_turn(work: Work, around: Surroundings) -> Verdict:
    """Return the handler's verdict, or how the record ends when the handler has none.

    Raises `CancelledError` when the engine stops, and what `Handler.crashed` raises.
    """
    waited = asyncio.get_running_loop().time() - work.accepted_at
    around.observer.started(work, waited)
    if around.journal.wary and (lethal := _lethal(work.record, around)):
        return around.handler.crashed(work, lethal)
    error: Exception
    try:
        return await around.handler.handle(work)
    except asyncio.CancelledError:
        if _is_cancelled_from_outside():
            raise
        error = RuntimeError("the handler's own work was cancelled")
    except SystemExit as end:
        error = RuntimeError(f"the handler wanted to end the process: {end}")
    except Exception as bug:  # noqa: BLE001 - a bug of the handler must not lose a record
        error = bug
    except MEANT:
        raise
    except BaseException as panic:  # noqa: BLE001 - likewise
        error = RuntimeError("the handler's own code gave up")
        error.__cause__ = panic
    return around.handler.crashed(work, error)


def _lethal(record: Record, around: Surroundings) -> Lethal | None:
    standing = around.journal.standing(record)
    if standing in {Standing.CLEAR, Standing.SUSPECT}:
        return None
    return Lethal(unread=standing is Standing.UNREADABLE)


def _is_cancelled_from_outside() -> bool:
    """Tell a stop of the engine from a cancellation that escaped from inside the handler."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
